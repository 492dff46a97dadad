//! Structs whose fields are those of the schema.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result};

use crate::{implementation, schema_name};

pub fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &item.data else {
        return Err(Error::new_spanned(item, "only structs have fields"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(item, "the fields need names"));
    };
    let name = &item.ident;
    let arms = fields.named.iter().filter_map(|field| field.ident.as_ref()).map(|ident| {
        let field = schema_name(ident);
        quote! { #field => crate::graphql::write::Write::write(&self.#ident, at, text), }
    });
    Ok(implementation(name, arms))
}
