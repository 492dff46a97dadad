//! Text files as spreadsheets save them: UTF-8 with and without a mark, UTF-16 with one, and otherwise GB18030, which
//! Chinese editions use.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use encoding_rs::{Decoder, Encoding, GB18030, UTF_8};

use super::{Result, Unreadable};

/// A file as UTF-8. A reader that takes more than `allowance` bytes at once, without renewing it, fails.
pub(super) struct Text {
    file: BufReader<File>,
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    at: usize,
    is_over: bool,
    last: u8,
    allowance: Rc<Cell<usize>>,
}

impl Text {
    /// Finds out how a file is written.
    pub(super) fn open(mut file: File, allowance: Rc<Cell<usize>>) -> Result<Self> {
        let mut start = [0; 3];
        let length = file.read(&mut start)?;
        let marked = Encoding::for_bom(&start[..length]).map(|(encoding, _)| encoding);
        let encoding = match marked {
            Some(encoding) => encoding,
            None if is_utf8(&mut file)? => UTF_8,
            None => GB18030,
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(Self {
            file: BufReader::with_capacity(1 << 16, file),
            decoder: Some(encoding.new_decoder_with_bom_removal()),
            raw: Vec::new(),
            at: 0,
            is_over: false,
            last: b'\n',
            allowance,
        })
    }
}

/// Is all of it UTF-8? What is cut at the end of a piece is looked at with the next.
fn is_utf8(file: &mut File) -> Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 1 << 16];
    let mut kept = 0;
    loop {
        let read = file.read(&mut buffer[kept..])?;
        let whole = kept + read;
        if read == 0 {
            return Ok(kept == 0);
        }
        match std::str::from_utf8(&buffer[..whole]) {
            Ok(_) => kept = 0,
            Err(error) if error.error_len().is_none() => {
                buffer.copy_within(error.valid_up_to()..whole, 0);
                kept = whole - error.valid_up_to();
            }
            Err(_) => return Ok(false),
        }
    }
}

impl Read for Text {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let allowed = self.allowance.get();
        if allowed == 0 {
            return Err(io::Error::other("a row is too long, or a quotation mark is never closed"));
        }
        let Some(decoder) = &mut self.decoder else { return Ok(0) };
        loop {
            if self.at == self.raw.len() && !self.is_over {
                self.raw.resize(1 << 16, 0);
                let read = self.file.read(&mut self.raw)?;
                self.raw.truncate(read);
                self.at = 0;
                self.is_over = read == 0;
            }
            let (result, taken, written) =
                decoder.decode_to_utf8_without_replacement(&self.raw[self.at..], out, self.is_over);
            self.at += taken;
            if let encoding_rs::DecoderResult::Malformed(..) = result {
                return Err(io::Error::other("the text is neither UTF-8 nor GB18030"));
            }
            let kept = one_line_break(&mut out[..written], &mut self.last);
            if kept > 0 {
                self.allowance.set(allowed.saturating_sub(kept));
                return Ok(kept);
            }
            if self.is_over {
                self.decoder = None;
                // The last line ends like any other.
                if matches!(self.last, b'\n' | b'\r') {
                    return Ok(0);
                }
                out[0] = b'\n';
                return Ok(1);
            }
        }
    }
}

/// Makes every line break the same, in place, so that lines can be counted. Returns what is left.
fn one_line_break(text: &mut [u8], last: &mut u8) -> usize {
    let mut kept = 0;
    for at in 0..text.len() {
        let byte = text[at];
        let is_second = byte == b'\n' && *last == b'\r';
        *last = byte;
        if !is_second {
            text[kept] = if byte == b'\r' { b'\n' } else { byte };
            kept += 1;
        }
    }
    kept
}

/// What went wrong while text was read, for people.
pub(super) fn broken(error: &dyn std::fmt::Display) -> Unreadable {
    Unreadable(format!("The file cannot be read: {error}."))
}
