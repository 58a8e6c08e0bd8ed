//! The records of a text of separated values.

use super::super::DatasetError;

/// Reads records as pandas' parser does: a field is quoted if it begins with a quote, a quote elsewhere is a character
/// like any other; lines of blanks are no records; a line ends with `\n`, `\r\n` or `\r`.
#[derive(Clone)]
pub(super) struct Records<'a> {
    text: &'a str,
    at: usize,
    /// Of the byte at `at`, from 1.
    line: usize,
    separator: u8,
    /// Whether blanks before a quote belong to the layout, as in `a, "b"`: they do if one follows each separator of the
    /// first line.
    skips_blanks: bool,
}

/// The fields of one record, kept for the next one.
#[derive(Default)]
pub(super) struct Record {
    text: String,
    ends: Vec<usize>,
    /// Line that it begins in, from 1.
    pub(super) line: usize,
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }
}

impl<'a> Records<'a> {
    /// The records of a text that begins in this line of its file.
    pub(super) fn of(text: &'a str, separator: u8, line: usize) -> Self {
        let first_line = text.split(['\n', '\r']).find(|line| !line.trim().is_empty()).unwrap_or_default();
        let mut behind = first_line.split(char::from(separator)).skip(1).peekable();
        let skips_blanks = behind.peek().is_some() && behind.all(|field| field.starts_with(' '));
        Self { text, at: 0, line, separator, skips_blanks }
    }

    /// The next record; `false` at the end.
    ///
    /// # Errors
    /// A quote that no other ends, or that runs over lines and is followed by more text: it was none.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, DatasetError> {
        record.text.clear();
        record.ends.clear();
        self.skip_empty_lines();
        record.line = self.line;
        if self.at == self.text.len() {
            return Ok(false);
        }
        loop {
            self.field(&mut record.text)?;
            record.ends.push(record.text.len());
            match self.peek() {
                Some(byte) if byte == self.separator => self.at += 1,
                _ => {
                    self.end_line();
                    return Ok(true);
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn is_blank(&self, byte: u8) -> bool {
        (byte == b' ' || byte == b'\t') && byte != self.separator
    }

    fn skip_empty_lines(&mut self) {
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let blanks = rest.iter().take_while(|byte| self.is_blank(**byte)).count();
            match rest.get(blanks) {
                None => self.at += blanks,
                Some(b'\n' | b'\r') => {
                    self.at += blanks;
                    self.end_line();
                    continue;
                }
                Some(_) => {}
            }
            return;
        }
    }

    fn end_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let length = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return,
        };
        self.at += length;
        self.line += 1;
    }

    /// One field, without the blanks around it unless they are quoted.
    fn field(&mut self, field: &mut String) -> Result<(), DatasetError> {
        let bare = self.until_separator();
        let quoted = if self.skips_blanks { bare.trim_start_matches([' ', '\t']) } else { bare };
        if !quoted.starts_with('"') {
            self.at += bare.len();
            field.push_str(bare.trim());
            return Ok(());
        }
        let line = self.line;
        self.at += bare.len() - quoted.len() + 1;
        self.quoted(field)?;
        let after = self.until_separator();
        self.at += after.len();
        if self.line > line && !after.trim().is_empty() {
            return Err(DatasetError::Quote { line, end: Some(self.line) });
        }
        field.push_str(after.trim_end());
        Ok(())
    }

    fn until_separator(&self) -> &'a str {
        let rest = &self.text[self.at..];
        let ends = |byte: &u8| *byte == self.separator || *byte == b'\n' || *byte == b'\r';
        &rest[..rest.as_bytes().iter().position(ends).unwrap_or(rest.len())]
    }

    /// What stands between quotes; a quote inside is doubled.
    fn quoted(&mut self, field: &mut String) -> Result<(), DatasetError> {
        let line = self.line;
        loop {
            let rest = &self.text[self.at..];
            let length = rest.find('"').ok_or(DatasetError::Quote { line, end: None })?;
            let part = &rest[..length];
            field.push_str(part);
            self.line += breaks(part);
            self.at += length + 1;
            if self.peek() != Some(b'"') {
                return Ok(());
            }
            field.push('"');
            self.at += 1;
        }
    }
}

fn breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let lone = |(i, byte): (usize, &u8)| *byte == b'\n' || (*byte == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
    bytes.iter().enumerate().filter(|(i, byte)| lone((*i, *byte))).count()
}
