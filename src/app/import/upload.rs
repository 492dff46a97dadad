//! A file on its way in: kept piece by piece, so that it is never in memory as a whole, and counted on the way.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{OnImport, ReceiveFile};
use crate::app::command::{Guarded, perform};
use crate::app::{App, Failure, Session};
use crate::domain::ids::ImportBatchId;
use crate::domain::import::{FileFormat, ImportSettings, ReceivedFile};
use crate::domain::permission::{Action, permitted};
use crate::store::import;

/// Bytes of a piece.
const PIECE: usize = 256 << 10;

/// What arrives, and how much of it may.
#[derive(Clone, Copy, Debug)]
pub struct UploadLimits {
    /// Bytes of a file.
    pub file_bytes: u64,
}

/// A file that arrives.
pub struct Upload {
    app: Arc<App>,
    id: ImportBatchId,
    limits: UploadLimits,
    buffer: Vec<u8>,
    pieces: i64,
    size: u64,
    digest: Sha256,
}

impl Upload {
    /// Begins, for somebody who may import at all.
    ///
    /// # Errors
    /// They may not.
    pub fn begin(session: &Session, limits: UploadLimits) -> Result<Self, Failure> {
        let (roles, _) = permitted(Action::ImportOrders);
        if !session.actor.is_any(roles) {
            let names: Vec<&str> = roles.iter().map(|role| role.code()).collect();
            return Err(Failure::Forbidden(format!("importOrders takes one of the roles {}.", names.join(", "))));
        }
        let app = session.app.clone();
        let id = ImportBatchId((app.new_id)());
        Ok(Self { app, id, limits, buffer: Vec::new(), pieces: 0, size: 0, digest: Sha256::new() })
    }

    /// Takes what arrived. Says whether there is still room.
    ///
    /// # Errors
    /// It cannot be kept.
    pub async fn take(&mut self, mut bytes: &[u8]) -> Result<bool, Failure> {
        self.size += bytes.len() as u64;
        if self.size > self.limits.file_bytes {
            return Ok(false);
        }
        self.digest.update(bytes);
        while !bytes.is_empty() {
            let fits = bytes.len().min(PIECE - self.buffer.len());
            let (now, later) = bytes.split_at(fits);
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == PIECE {
                self.keep().await?;
            }
        }
        Ok(true)
    }

    async fn keep(&mut self) -> Result<(), Failure> {
        let piece = std::mem::take(&mut self.buffer);
        import::keep_piece(self.app.store(), self.id, self.pieces, piece, self.app.clock.now()).await?;
        self.pieces += 1;
        Ok(())
    }

    /// Ends: the file is an import from now on.
    ///
    /// # Errors
    /// It is refused, or cannot be kept; then nothing of it is left.
    pub async fn end(
        mut self,
        session: &Session,
        format: FileFormat,
        file_name: Option<String>,
        settings: ImportSettings,
    ) -> Result<ImportBatchId, Failure> {
        if !self.buffer.is_empty() {
            self.keep().await?;
        }
        let digest = std::mem::take(&mut self.digest).finalize();
        let file = ReceivedFile {
            id: self.id,
            format,
            file_name,
            size: i64::try_from(self.size).unwrap_or(i64::MAX),
            digest: format!("{digest:x}"),
        };
        let command = ReceiveFile { file, settings };
        match perform(session, Guarded { command, idempotency_key: None }).await {
            Ok(answered) => {
                let OnImport { batch_id } = answered.answer;
                Ok(batch_id)
            }
            Err(failure) => {
                self.abandon().await;
                Err(failure)
            }
        }
    }

    /// Throws away what has arrived. What cannot be thrown away now is, a day later.
    pub async fn abandon(self) {
        if let Err(error) = import::drop_pieces(self.app.store(), self.id).await {
            tracing::warn!(%error, "what is left of an upload could not be thrown away");
        }
    }
}

/// Whose file it is, before it is one.
impl std::fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Upload").field("id", &Uuid::from(self.id)).field("size", &self.size).finish()
    }
}
