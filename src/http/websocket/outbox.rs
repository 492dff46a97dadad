//! What a socket has to send: collected in one piece, written in one go.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::frame;
use crate::http::backend::Bytes;
use crate::http::protocol::NEXT_END;

/// Results of more bytes than this are not copied: many sockets may wait with the same one.
const LARGE_BYTES: usize = 16 * 1024;

/// Frames on their way to a client. Holds nothing while there are none.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    frames: Vec<u8>,
    /// A large result, whose frame begins at the end of `frames` and ends with [`NEXT_END`].
    large: Option<Bytes>,
    /// How much of all that is written.
    written: usize,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        let large = self.large.as_ref().map_or(0, |body| body.len() + NEXT_END.len());
        self.frames.len() + large - self.written
    }

    /// Whether nothing can be added before all is written.
    pub(super) fn is_full(&self) -> bool {
        self.large.is_some()
    }

    pub(super) fn text(&mut self, text: &str) {
        frame::text(&mut self.frames, &[text.as_bytes()]);
    }

    pub(super) fn pong(&mut self, payload: &[u8]) {
        frame::pong(&mut self.frames, payload);
    }

    pub(super) fn close(&mut self, code: u16, reason: &str) {
        frame::closing(&mut self.frames, code, reason);
    }

    /// Adds a result between what comes in front of it and [`NEXT_END`].
    pub(super) fn result(&mut self, front: [&str; 3], body: Bytes) {
        let [a, b, c] = front.map(str::as_bytes);
        if body.len() <= LARGE_BYTES {
            return frame::text(&mut self.frames, &[a, b, c, &body, NEXT_END.as_bytes()]);
        }
        frame::text_head(&mut self.frames, a.len() + b.len() + c.len() + body.len() + NEXT_END.len());
        for piece in [a, b, c] {
            self.frames.extend_from_slice(piece);
        }
        self.large = Some(body);
    }

    /// Writes everything.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn poll_flush(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.waiting() > 0 {
            let written = ready!(self.poll_write(stream, context))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        *self = Self::default();
        Pin::new(stream).poll_flush(context)
    }

    fn poll_write(&self, stream: &mut (impl AsyncWrite + Unpin), context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        let Some(body) = &self.large else {
            return stream.poll_write(context, &self.frames[self.written..]);
        };
        let mut skip = self.written;
        let slices = [&self.frames[..], body, NEXT_END.as_bytes()].map(|piece| {
            let (_, rest) = piece.split_at(skip.min(piece.len()));
            skip = skip.saturating_sub(piece.len());
            IoSlice::new(rest)
        });
        stream.poll_write_vectored(context, &slices)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn writes_what_it_holds_in_order_and_then_holds_nothing() {
        let (mut ours, mut theirs) = tokio::io::duplex(7);
        let reading = tokio::spawn(async move {
            let mut bytes = Vec::new();
            theirs.read_to_end(&mut bytes).await.map(|_| bytes)
        });
        let mut outbox = Outbox::default();
        let large = "l".repeat(LARGE_BYTES + 1);
        outbox.text("a");
        outbox.result(["{", "1", ":"], Bytes::from_static(b"small"));
        outbox.result(["{", "2", ":"], large.clone().into());
        assert!(outbox.is_full() && !outbox.is_empty());
        poll_fn(|context| outbox.poll_flush(&mut ours, context)).await.unwrap();
        assert!(outbox.is_empty() && !outbox.is_full());
        assert_eq!(outbox.frames.capacity(), 0);
        ours.shutdown().await.unwrap();
        drop(ours);

        let mut expected = b"\x81\x01a\x81\x09{1:small}\x81\x7e".to_vec();
        let length = u16::try_from(large.len() + 4).unwrap();
        expected.extend_from_slice(&length.to_be_bytes());
        expected.extend_from_slice(format!("{{2:{large}}}").as_bytes());
        assert_eq!(reading.await.unwrap().unwrap(), expected);
    }
}
