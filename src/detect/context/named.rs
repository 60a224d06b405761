//! A name that bears on a value, and how it does.

use std::rc::Rc;

use crate::detect::name::Name;

/// How a name bears on a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `name = value`.
    Name,
    /// `key: value`.
    Key,
    /// The head of its column.
    Column,
    /// `<name>value`, or an attribute of that element.
    Element,
    /// `<key>name</key><string>value`, `<b>Name</b> value`.
    Label,
    /// `{"key": "name", "value": "…"}`.
    NameBeside,
    /// `name,value`.
    FieldBefore,
    /// `| name | value |`.
    CellBefore,
    /// A tag behind a declaration.
    Declaration,
    /// `name || value`.
    StandsInFor,
    /// `f("name", "value")`.
    Argument,
    /// `the name is value`, `--name value`.
    WordsBefore,
    /// Alone on the line above it.
    LineAbove,
    /// Behind it on its line.
    Comment,
    /// `name(value)`.
    Call,
    /// `name[value]`.
    Bracket,
    /// The section that it stands in.
    Section,
    /// It is all that its file holds: the file's name.
    File,
}

impl Relation {
    /// As a report says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Key => "key",
            Self::Column => "column",
            Self::Element => "element",
            Self::Label => "label",
            Self::NameBeside => "name beside it",
            Self::FieldBefore => "field before it",
            Self::CellBefore => "cell before it",
            Self::Declaration => "declaration",
            Self::StandsInFor => "what it stands in for",
            Self::Argument => "argument before it",
            Self::WordsBefore => "words before it",
            Self::LineAbove => "line above",
            Self::Comment => "comment",
            Self::Call => "call",
            Self::Bracket => "bracket",
            Self::Section => "section",
            Self::File => "file",
        }
    }

    /// Whether the name is the value's own: it is assigned to it in some syntax.
    #[must_use]
    pub fn is_own(self) -> bool {
        match self {
            Self::Name
            | Self::Key
            | Self::Column
            | Self::Element
            | Self::Label
            | Self::NameBeside
            | Self::FieldBefore
            | Self::CellBefore
            | Self::Declaration
            | Self::StandsInFor
            | Self::File => true,
            Self::Argument
            | Self::WordsBefore
            | Self::LineAbove
            | Self::Comment
            | Self::Call
            | Self::Bracket
            | Self::Section => false,
        }
    }

    /// Whether the name is only spoken: words of a sentence or a comment.
    #[must_use]
    pub fn is_spoken(self) -> bool {
        matches!(self, Self::WordsBefore | Self::LineAbove | Self::Comment | Self::Label)
    }
}

/// A name that bears on a value, and how.
#[derive(Debug, Clone)]
pub struct Named {
    /// How it bears on the value.
    pub relation: Relation,
    /// The name.
    pub name: Rc<Name>,
}
