//! What a channel calls a product may be unknown here. Such an order is not lost: the line becomes one without a product,
//! which the review clarifies (R2.3).

use super::{LONG_TEXT, SHORT_TEXT, Submission};

/// Takes SKUs that nobody knows out of a submission; what was said of the product is kept as specification.
pub fn soften(submission: &mut Submission, is_known: impl Fn(&str) -> bool) {
    for line in &mut submission.lines {
        let Some(sku) = line.sku.take_if(|sku| !is_known(sku)) else { continue };
        let said = line.specification.take().map_or_else(|| format!("SKU {sku}"), |said| format!("SKU {sku}; {said}"));
        line.specification = Some(said.chars().take(LONG_TEXT).collect());
        line.category.get_or_insert_with(|| sku.chars().take(SHORT_TEXT).collect());
    }
}
