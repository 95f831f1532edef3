//! The language's words. They may be written in any case, and be names wherever that is clear.

macro_rules! keywords {
    ($($name:ident = $text:literal,)*) => {
        /// A keyword.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the names are the keywords")]
        #[repr(u8)]
        pub enum Keyword { $($name,)* }

        impl Keyword {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it is written.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

keywords! {
    Create = "CREATE",
    Import = "IMPORT",
    Update = "UPDATE",
    Delete = "DELETE",
    Query = "Query",
    Transaction = "Transaction",
    Commit = "Commit",
    Withdraw = "Withdraw",
    Notification = "Notification",
    Connect = "Connect",
    Disconnect = "Disconnect",
    Engines = "Engines",
    Node = "Node",
    Connection = "Connection",
    Link = "Link",
    Flow = "Flow",
    Operation = "Operation",
    Policy = "Policy",
    ConnectionPoint = "ConnectionPoint",
    NodeModel = "NodeModel",
    ConnectionModel = "ConnectionModel",
    FlowModel = "FlowModel",
    ActionModel = "ActionModel",
    ConditionModel = "ConditionModel",
    LinkModel = "LinkModel",
    TemplateInstance = "TemplateInstance",
    TemplateDefinition = "TemplateDefinition",
    Type = "Type",
    Contain = "Contain",
    Property = "Property",
    Parameter = "Parameter",
    Endnodes = "Endnodes",
    Match = "Match",
    Target = "Target",
    ApplyTo = "ApplyTo",
    Priority = "Priority",
    Condition = "Condition",
    Action = "Action",
    Vnfd = "VNFD",
    Digest = "Digest",
    At = "at",
    From = "From",
    On = "On",
    Every = "Every",
    RegisterListener = "RegisterListener",
    Address = "Address",
    Port = "Port",
    Begin = "Begin",
    End = "End",
    String = "string",
    Integer = "integer",
    Range = "range",
    Boolean = "Boolean",
    Date = "Date",
    Uuid = "UUID",
    EthAddr = "EthAddr",
    IpPrefix = "IPPrefix",
}

/// No keyword is longer.
const LENGTH_MAX: usize = 18;

impl Keyword {
    /// The keyword that a word is, in whatever case.
    pub fn of(word: &str) -> Option<Self> {
        let first = word.as_bytes().first()?.to_ascii_lowercase();
        if word.len() < 2 || word.len() > LENGTH_MAX {
            return None;
        }
        let candidates: &[Self] = match first {
            b'a' => &[Self::Action, Self::At, Self::Address, Self::ApplyTo, Self::ActionModel],
            b'b' => &[Self::Begin, Self::Boolean],
            b'c' => &[
                Self::Connection,
                Self::ConnectionPoint,
                Self::Create,
                Self::Condition,
                Self::Contain,
                Self::Commit,
                Self::Connect,
                Self::ConnectionModel,
                Self::ConditionModel,
            ],
            b'd' => &[Self::Delete, Self::Digest, Self::Disconnect, Self::Date],
            b'e' => &[Self::Endnodes, Self::End, Self::Every, Self::Engines, Self::EthAddr],
            b'f' => &[Self::Flow, Self::From, Self::FlowModel],
            b'i' => &[Self::Import, Self::Integer, Self::IpPrefix],
            b'l' => &[Self::Link, Self::LinkModel],
            b'm' => &[Self::Match],
            b'n' => &[Self::Node, Self::NodeModel, Self::Notification],
            b'o' => &[Self::Operation, Self::On],
            b'p' => &[
                Self::Property,
                Self::Priority,
                Self::Policy,
                Self::Parameter,
                Self::Port,
            ],
            b'q' => &[Self::Query],
            b'r' => &[Self::Range, Self::RegisterListener],
            b's' => &[Self::String],
            b't' => &[
                Self::Type,
                Self::Target,
                Self::Transaction,
                Self::TemplateInstance,
                Self::TemplateDefinition,
            ],
            b'u' => &[Self::Update, Self::Uuid],
            b'v' => &[Self::Vnfd],
            b'w' => &[Self::Withdraw],
            _ => &[],
        };
        let is_it = |keyword: &&Self| keyword.text().eq_ignore_ascii_case(word);
        candidates.iter().find(is_it).copied()
    }

    /// Begins a statement.
    pub fn is_verb(self) -> bool {
        self <= Self::Engines
    }

    /// Names a kind of entity.
    pub fn is_entity(self) -> bool {
        self >= Self::Node && self <= Self::ConnectionPoint
    }

    /// Names a kind of model.
    pub fn is_model(self) -> bool {
        self >= Self::NodeModel && self <= Self::LinkModel
    }

    /// Begins a clause.
    pub fn is_clause(self) -> bool {
        self >= Self::Type && self <= Self::RegisterListener
    }

    /// Names the type of a parameter.
    pub fn is_type(self) -> bool {
        self >= Self::String
    }
}

/// The word that was probably meant: the only nearest one within two changed letters.
pub fn nearest<'w>(word: &str, among: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    if word.len() > 2 * LENGTH_MAX {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let mut best: Option<(usize, &'w str)> = None;
    let mut is_only = true;
    for candidate in among {
        let far = distance(word.as_bytes(), candidate.to_ascii_lowercase().as_bytes());
        match best {
            Some((least, _)) if far > least => {}
            Some((least, _)) if far == least => is_only = false,
            _ => {
                best = Some((far, candidate));
                is_only = true;
            }
        }
    }
    best.filter(|(far, found)| is_only && *far <= 2 && *far < found.len().min(word.len()))
        .map(|(_, found)| found)
}

/// How many letters are to be put in, taken out, changed or swapped with their neighbour.
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut before = vec![0; other.len() + 1];
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut next = vec![i + 1; other.len() + 1];
        for (j, against) in other.iter().enumerate() {
            let mut least = (row[j + 1] + 1).min(next[j] + 1);
            least = least.min(row[j] + usize::from(letter != against));
            if i > 0 && j > 0 && *letter == other[j - 1] && one[i - 1] == *against {
                least = least.min(before[j - 1] + 1);
            }
            next[j + 1] = least;
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_in_any_case() {
        for keyword in Keyword::ALL {
            let text = keyword.text();
            assert!(text.len() <= LENGTH_MAX);
            assert_eq!(Keyword::of(text), Some(*keyword));
            assert_eq!(Keyword::of(&text.to_uppercase()), Some(*keyword));
            assert_eq!(Keyword::of(&text.to_lowercase()), Some(*keyword));
        }
        assert_eq!(Keyword::of("Nodes"), None);
        assert_eq!(Keyword::of("x"), None);
    }

    #[test]
    fn the_nearest_word_is_told_only_when_there_is_one() {
        assert_eq!(nearest("Endnode", ["Endnodes", "Property"]), Some("Endnodes"));
        assert_eq!(nearest("Tyep", ["Type", "Property"]), Some("Type"));
        assert_eq!(nearest("sh4", ["sh1", "sh2"]), None);
        assert_eq!(nearest("ab", ["cd"]), None);
    }
}
