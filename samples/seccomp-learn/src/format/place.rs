// SPDX-License-Identifier: GPL-2.0-only

//! Places in a JSON text.
//!
//! serde_json says where a text is no JSON. What is wrong with a value is known
//! only when it has been read, and then its reader stands somewhere behind it.
//! So values that are checked are kept as the pieces of text that they are.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Syntax;

/// A text, and the pieces of it.
#[derive(Clone, Copy)]
pub struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// Reads the whole of it.
    pub fn whole<T: Deserialize<'a>>(self) -> Result<T, Syntax> {
        self.read(self.0)
    }

    /// Reads a piece of it.
    pub fn piece<T: Deserialize<'a>>(self, piece: &'a RawValue) -> Result<T, Syntax> {
        self.read(piece.get())
    }

    fn read<T: Deserialize<'a>>(self, piece: &'a str) -> Result<T, Syntax> {
        serde_json::from_str(piece).map_err(|e| {
            let whole = e.to_string();
            let suffix = format!(" at line {} column {}", e.line(), e.column());
            let message = whole.strip_suffix(&suffix).unwrap_or(&whole).to_owned();
            let lines_before = piece.split_inclusive('\n').take(e.line().saturating_sub(1));
            let line_start: usize = lines_before.map(str::len).sum();
            // What is missing is missing from the whole of the object.
            let at = if message.starts_with("missing field") {
                piece.len() - piece.trim_start().len()
            } else {
                line_start + e.column().saturating_sub(1)
            };
            self.at(self.offset(piece) + at, message)
        })
    }

    /// Something is wrong with a piece.
    pub fn wrong(self, piece: &RawValue, message: impl Into<String>) -> Syntax {
        self.at(self.offset(piece.get()), message.into())
    }

    /// Checks a piece where it stands.
    pub fn check<T>(self, piece: &RawValue, result: Result<T, String>) -> Result<T, Syntax> {
        result.map_err(|message| self.wrong(piece, message))
    }

    fn offset(self, piece: &str) -> usize {
        (piece.as_ptr() as usize).saturating_sub(self.0.as_ptr() as usize)
    }

    fn at(self, offset: usize, message: String) -> Syntax {
        let before = &self.0.as_bytes()[..offset.min(self.0.len())];
        let begin = before.iter().rposition(|&byte| byte == b'\n');
        Syntax {
            line: before.iter().filter(|&&byte| byte == b'\n').count() + 1,
            column: before.len() - begin.map_or(0, |at| at + 1) + 1,
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer<'a> {
        #[serde(borrow)]
        list: Vec<&'a RawValue>,
    }

    fn place(e: Syntax) -> (usize, usize) {
        (e.line, e.column)
    }

    #[test]
    fn a_piece_knows_its_place() {
        let text = "{\"list\": [\n  1,\n  \"two\"\n]}";
        let outer: Outer<'_> = Text::new(text).whole().unwrap();
        let wrong = Text::new(text).piece::<u32>(outer.list[1]).unwrap_err();
        assert_eq!(wrong.line, 3);
        assert_eq!(place(Text::new(text).wrong(outer.list[1], "")), (3, 3));
    }

    #[test]
    fn what_is_no_json_has_its_place() {
        let at = |text: &str| place(Text::new(text).whole::<Outer<'_>>().unwrap_err());
        assert_eq!(at("{\n \"list\": }").0, 2);
        assert_eq!(at("{\n \"lost\": [\n]\n}").0, 2);
        assert_eq!(at("\n {\n}"), (2, 2));
    }
}
