//! The kinds of tokens and nodes that a tree is made of, and how the tokens look.

use logos::{Lexer, Logos};

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        /// A kind of token or node.
        #[derive(Logos, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum SyntaxKind { $($(#[$meta])* $name,)* }

        impl SyntaxKind {
            const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

kinds! {
    /// Blanks, tabs, line ends; the mark that some editors put before a text.
    #[regex(r"[ \t\r\n\u{FEFF}]+")]
    Whitespace,
    /// `// …`, `# …`, `/* … */`.
    #[regex(r"//[^\n]*", allow_greedy = true)]
    #[regex(r"#[^\n]*", allow_greedy = true)]
    #[token("/*", block_comment)]
    Comment,
    /// A word that is a name where it stands.
    #[regex(r"[A-Za-z][A-Za-z0-9_-]*", priority = 10)]
    Name,
    /// A word that is a keyword where it stands. The lexer gives `Name`; the parser knows better.
    Keyword,
    /// A word with dots, slashes or percent signs, or one that begins with a digit.
    #[regex(r"[A-Za-z0-9]([A-Za-z0-9_.%-]|/[A-Za-z0-9_.%-])*", priority = 3)]
    Atom,
    /// Digits.
    #[regex(r"[0-9]+", priority = 11)]
    Int,
    /// `"…"`.
    #[regex(r#""[^"\n]*""#)]
    String,
    /// A text whose closing quote lacks; it ends with its line.
    #[regex(r#""[^"\n]*"#)]
    OpenString,
    /// `10.0.0.1`, `10.0.0.0/8`.
    #[regex(r"[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?", priority = 12)]
    Ipv4,
    /// `2001:db8::1`, `fe80::/10`.
    #[regex(r"[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){7}(/[0-9]{1,3})?", priority = 12)]
    #[regex(r"([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){0,6})?::([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){0,6})?(/[0-9]{1,3})?", priority = 12)]
    Ipv6,
    /// `02:00:00:00:00:01`.
    #[regex(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}(/[0-9]{1,2})?", priority = 13)]
    Mac,
    /// `2026-01-31`.
    #[regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", priority = 12)]
    Date,
    /// `08:00:00`.
    #[regex(r"[0-9]{2}:[0-9]{2}:[0-9]{2}", priority = 12)]
    Time,
    /// `2026-01-31,08:00:00`.
    #[regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2},[0-9]{2}:[0-9]{2}:[0-9]{2}", priority = 12)]
    FullTime,
    /// An address, up to white space or `;`. Behind `VNFD` also a relative one.
    #[regex(r#"(https?|file|sol|catalog)://[^ \t\r\n;,"<>()\[\]{}]*"#, priority = 14)]
    #[regex(r#"urn:[A-Za-z0-9-]+:[^ \t\r\n;,"<>()\[\]{}]+"#, priority = 14)]
    Uri,
    /// `<` address `>`.
    #[regex(r#"<[A-Za-z][A-Za-z0-9+.-]*:[^<>;"&|\r\n]*>"#, priority = 14)]
    AngleUri,
    /// `:`
    #[token(":")]
    Colon,
    /// `;`
    #[token(";")]
    Semicolon,
    /// `,`
    #[token(",")]
    Comma,
    /// `.`
    #[token(".")]
    Dot,
    /// `/`
    #[token("/")]
    Slash,
    /// `(`
    #[token("(")]
    LeftParen,
    /// `)`
    #[token(")")]
    RightParen,
    /// `[`
    #[token("[")]
    LeftBracket,
    /// `]`
    #[token("]")]
    RightBracket,
    /// `{`
    #[token("{")]
    LeftBrace,
    /// `}`
    #[token("}")]
    RightBrace,
    /// `==`
    #[token("==")]
    EqualEqual,
    /// `!=`
    #[token("!=")]
    NotEqual,
    /// `>`
    #[token(">")]
    Greater,
    /// `<`
    #[token("<")]
    Less,
    /// `>=`
    #[token(">=")]
    GreaterEqual,
    /// `<=`
    #[token("<=")]
    LessEqual,
    /// `*`
    #[token("*")]
    Star,
    /// `&&`, `&`
    #[token("&&")]
    #[token("&")]
    And,
    /// `||`, `|`
    #[token("||")]
    #[token("|")]
    Or,
    /// `!`
    #[token("!")]
    Bang,
    /// What is no token of the language.
    Unknown,
    /// Behind the last token; never in a tree.
    End,

    /// The root.
    Script,
    /// A piece of the text that is parsed on its own; never in a script's tree.
    Piece,
    /// A model with its body.
    Model,
    /// `CREATE NodeModel …` up to `;` or `{`.
    ModelHeader,
    /// A verb and an entity.
    Instance,
    /// `DELETE …`
    Delete,
    /// `Query …`
    Query,
    /// `Transaction …`, `Commit`, `Withdraw`.
    Transaction,
    /// `Notification …`
    Notification,
    /// A statement of an older form of the language.
    Reserved,
    /// A lonely `;`.
    Empty,
    /// What was skipped.
    Error,
    /// `Node …`
    Node,
    /// `Connection …`, `Link …`
    Connection,
    /// `Flow …`
    Flow,
    /// `Operation …`, `Policy …`
    Operation,
    /// `ConnectionPoint …`
    ConnectionPoint,
    /// `Property type: name, …` of a model.
    ParametersClause,
    /// `VNFD uri`
    VnfdClause,
    /// `Digest sha256:…`
    DigestClause,
    /// `at VNFD:iface`
    AtClause,
    /// `Type …`
    TypeClause,
    /// `Contain …`
    ContainClause,
    /// `Property key: value, …`
    PropertyClause,
    /// `Endnodes …`
    EndnodesClause,
    /// `Match key: value, …`
    MatchClause,
    /// `Target …`, `ApplyTo …`
    TargetClause,
    /// `Priority …`
    PriorityClause,
    /// `Condition …`
    ConditionClause,
    /// `Action …`
    ActionClause,
    /// `From …`
    FromClause,
    /// `type: name`
    Parameter,
    /// `key: value`
    Property,
    /// `name` or `name: value`
    Action,
    /// `a`, `a:b`
    Path,
    /// A scalar, a list or a range, and its unit.
    Value,
    /// `[a, b]`
    List,
    /// `(a, b)`
    Range,
    /// `(kbps)`
    ValueUnit,
    /// `a || b`
    Any,
    /// `a && b`
    All,
    /// `!a`
    Not,
    /// `(a)`
    Group,
    /// `name == value`
    Term,
}

/// Up to the comment's end, or to the text's where it has none.
fn block_comment(lexer: &mut Lexer<'_, SyntaxKind>) {
    let rest = lexer.remainder();
    lexer.bump(rest.find("*/").map_or(rest.len(), |at| at + 2));
}

impl SyntaxKind {
    /// White space and comments.
    pub fn is_trivia(self) -> bool {
        matches!(self, Self::Whitespace | Self::Comment)
    }

    /// Tokens that can be a value or part of one.
    pub fn is_scalar(self) -> bool {
        self >= Self::Name && self <= Self::AngleUri
    }
}

/// The language, as rowan wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nemo {}

impl rowan::Language for Nemo {
    type Kind = SyntaxKind;

    fn kind_from_raw(raw: rowan::SyntaxKind) -> SyntaxKind {
        let known = SyntaxKind::ALL.get(usize::from(raw.0));
        *known.expect("trees are made by `kind_to_raw` alone")
    }

    fn kind_to_raw(kind: SyntaxKind) -> rowan::SyntaxKind {
        rowan::SyntaxKind(kind as u16)
    }
}

impl From<SyntaxKind> for rowan::SyntaxKind {
    fn from(kind: SyntaxKind) -> Self {
        Self(kind as u16)
    }
}

/// A node of a tree.
pub type SyntaxNode = rowan::SyntaxNode<Nemo>;
/// A token of a tree.
pub type SyntaxToken = rowan::SyntaxToken<Nemo>;
/// A node or a token.
pub type SyntaxElement = rowan::SyntaxElement<Nemo>;
