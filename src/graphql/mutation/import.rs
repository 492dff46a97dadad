//! Orders handed in as files.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean_optional, id, payload};
use crate::app::import::{CancelImport, StartImport};
use crate::domain::import::ErrorPolicy;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::types::import::{ImportBatch, import_batch};

/// The file, and how its orders are taken.
#[derive(InputObject)]
pub struct ImportOrdersInput {
    /// Only check: every fault is found and nothing is taken. The import ends CHECKED and can be started again.
    #[graphql(default = false)]
    dry_run: bool,
    /// What becomes of the file when some orders in it are bad.
    #[graphql(default_with = "ErrorPolicy::RejectFailedRows")]
    error_policy: ErrorPolicy,
    /// The `version` of the import you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The import that `POST /imports` answered.
    import_batch_id: ID,
}

payload! {
    /// The import.
    ImportOrdersPayload {
        /// The import as it is now.
        import_batch: ImportBatch,
    }
}

/// The import to stop.
#[derive(InputObject)]
pub struct CancelImportInput {
    /// The `version` of the import you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The import.
    import_batch_id: ID,
    /// Why.
    reason: Option<String>,
}

payload! {
    /// The import.
    CancelImportPayload {
        /// The import as it is now.
        import_batch: ImportBatch,
    }
}

/// Orders handed in as files.
#[derive(Default)]
pub struct ImportMutation;

#[Object]
impl ImportMutation {
    /// Takes the orders of an uploaded file, or only checks them (R1.2, R1.4, R1.5). The file itself comes by
    /// `POST /imports`. It goes on in the background, also when a server stops: follow it with `importProgress`. Asked for
    /// again while it runs in the same way, nothing changes. For partners over their own account, sales staff and
    /// administrators; orders of the past are for administrators of the head unit.
    #[graphql(directive = access::apply(roles("importOrders"), limit("importOrders")))]
    async fn import_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file, and how its orders are taken.")] input: ImportOrdersInput,
    ) -> Result<ImportOrdersPayload> {
        let command = StartImport {
            batch_id: id(ctx, &input.import_batch_id)?,
            dry_run: input.dry_run,
            error_policy: input.error_policy,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ImportOrdersPayload {
                import_batch: import_batch(ctx, answer.batch_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ImportOrdersPayload::refused(errors)),
        }
    }

    /// Stops an import. Orders that were taken stay taken; the file is thrown away. For partners over their own account,
    /// sales staff and administrators.
    #[graphql(directive = access::apply(roles("cancelImport"), limit("cancelImport")))]
    async fn cancel_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The import to stop.")] input: CancelImportInput,
    ) -> Result<CancelImportPayload> {
        let command = CancelImport {
            batch_id: id(ctx, &input.import_batch_id)?,
            reason: clean_optional(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(CancelImportPayload {
                import_batch: import_batch(ctx, answer.batch_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(CancelImportPayload::refused(errors)),
        }
    }
}
