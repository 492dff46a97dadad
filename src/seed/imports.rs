//! A file of orders that a salesperson handed in: one of its orders is taken, and the other says what is wrong with it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{person_for, session};
use crate::app::import::file::FileLimits;
use crate::app::import::{StartImport, Upload, UploadLimits, work_through};
use crate::app::{App, Failure, Guarded, perform, read};
use crate::domain::actor::Role;
use crate::domain::import::{ErrorPolicy, FileFormat, ImportSettings};

const FILE: &str = "\
channel,externalReference,customerNumber,currencyCode,requiredWithinDays,street,city,countryCode,sku,quantity\r
OFFLINE_SALES,FAIR-1,C-2001,CNY,14,1 Harbour Road,Ningbo,CN,LAMP-1,4\r
OFFLINE_SALES,FAIR-1,C-2001,CNY,14,1 Harbour Road,Ningbo,CN,CABLE-5,4\r
OFFLINE_SALES,FAIR-2,C-2001,CNY,14,1 Harbour Road,Ningbo,CN,LAMP-1,a dozen\r
";

/// Hands it in and works through it.
pub(super) async fn taken(app: &Arc<App>) -> Result<(), Failure> {
    let sales = person_for(Role::Sales).ok_or(Failure::NotFound)?;
    let session = session(app, sales).await?;
    let limits = FileLimits::default();
    let mut upload = Upload::begin(&session, UploadLimits { file_bytes: limits.file_bytes })?;
    upload.take(FILE.as_bytes()).await?;
    let name = Some("trade-fair.csv".to_owned());
    let batch_id = upload.end(&session, FileFormat::Csv, name, ImportSettings::default()).await?;
    let policy = ErrorPolicy::RejectFailedRows;
    let command = StartImport { batch_id, dry_run: false, error_policy: policy, expected_version: None };
    perform(&session, Guarded { command, idempotency_key: None }).await?;
    let batch = read::import::by_ids(&session, &[batch_id]).await?.pop().ok_or(Failure::NotFound)?;
    work_through(app, &batch, &limits, &CancellationToken::new()).await
}
