//! What a place in a script wants of the value that stands there. A parameter inherits the demands of the places where it is used, so
//! an argument is checked where it is written.

use crate::code;
use crate::condition::Clock;
use crate::interface::{Found, find, told_apart};
use crate::leaf::Leaf;
use crate::nearest::nearest;
use crate::report::{Sure, Tell, interface_labels, listed, told};
use crate::values::{self, Refused, shown};
use manifold_nemo_syntax::diagnostic::{Code, Diagnostic, Label, Span};
use manifold_nemo_syntax::script::{Comparison, Name, Value, ValueKind};
use std::sync::Arc;

/// A demand.
#[derive(Debug, Clone)]
pub(crate) enum Demand {
    /// The name of an interface of this descriptor.
    Interface(Arc<Leaf>),
    /// A property of a packet.
    Match(MatchKey),
    /// A rate, in an action or a property; the unit that is written beside it.
    Bandwidth(Option<Name>, Code),
    /// 0 to 7.
    Precedence,
    /// An address or a prefix, as a property.
    Prefix,
    /// A moment or a range of moments.
    Moment(Clock, Comparison),
    /// A number.
    Number,
}

impl PartialEq for Demand {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Interface(a), Self::Interface(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Match(a), Self::Match(b)) => a == b,
            (Self::Bandwidth(a, of), Self::Bandwidth(b, and)) => {
                of == and && a.as_ref().map(|unit| &unit.text) == b.as_ref().map(|unit| &unit.text)
            }
            (Self::Moment(a, by), Self::Moment(b, than)) => a == b && by == than,
            (Self::Precedence, Self::Precedence) | (Self::Prefix, Self::Prefix) | (Self::Number, Self::Number) => true,
            _ => false,
        }
    }
}

/// What a flow can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are the fields of a packet")]
pub(crate) enum MatchKey {
    SourceAddress,
    DestinationAddress,
    Protocol,
    SourcePort,
    DestinationPort,
    SourceMac,
    DestinationMac,
    EtherType,
}

impl MatchKey {
    /// Each with its names, the first being ours.
    pub(crate) const ALL: [(MatchKey, &'static [&'static str]); 8] = [
        (
            Self::SourceAddress,
            &["srcip", "source", "srcaddr", "sourceip", "sourceaddress"],
        ),
        (
            Self::DestinationAddress,
            &[
                "dstip",
                "destination",
                "dstaddr",
                "destip",
                "destinationip",
                "destinationaddress",
            ],
        ),
        (Self::Protocol, &["proto", "protocol", "ipproto"]),
        (Self::SourcePort, &["srcport", "sourceport"]),
        (Self::DestinationPort, &["dstport", "destport", "destinationport"]),
        (Self::SourceMac, &["srcmac", "sourcemac"]),
        (Self::DestinationMac, &["dstmac", "destmac", "destinationmac"]),
        (Self::EtherType, &["ethtype", "ethertype"]),
    ];

    /// By any of its names; case, `-` and `_` do not matter.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let plain: String = name
            .chars()
            .filter(|c| !matches!(c, '-' | '_'))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        Self::ALL
            .iter()
            .find(|(_, names)| names.contains(&plain.as_str()))
            .map(|(key, _)| *key)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(key, _)| *key == self)
            .map_or("", |(_, names)| names[0])
    }

    fn check(self, value: &Value) -> Result<(), Refused> {
        match self {
            Self::SourceAddress | Self::DestinationAddress => values::prefix(value).map(drop),
            Self::Protocol => values::protocol(value).map(drop),
            Self::SourcePort | Self::DestinationPort => values::ports(value).map(drop),
            Self::SourceMac | Self::DestinationMac => values::mac(value).map(drop),
            Self::EtherType => values::ether_type(value).map(drop),
        }
    }
}

/// Why a value does not do.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) message: String,
    help: Option<String>,
    labels: Vec<Label>,
    instead: Option<(String, Sure)>,
}

impl Problem {
    /// The problem at the place of the value.
    pub(crate) fn at(self, span: Span) -> Diagnostic {
        let mut found = told(self.code, span, self.message).labels(self.labels);
        found.help = self.help;
        match self.instead {
            Some((text, sure)) => found.replace(format!("write `{text}`"), span, text, sure),
            None => found,
        }
    }
}

impl Demand {
    /// What is wrong with a value, or strange about it.
    pub(crate) fn check(&self, value: &Value) -> Option<Problem> {
        let refused = |code: Code, refused: Refused| Problem {
            code,
            message: format!("`{}` {}", shown(value), refused.why),
            help: refused.help,
            labels: Vec::new(),
            instead: None,
        };
        match self {
            Self::Interface(leaf) => match &value.kind {
                ValueKind::Text(name) => interface_problem(leaf, name),
                _ => Some(Problem {
                    code: code::INTERFACE,
                    message: format!("`{}` is no name of an interface", shown(value)),
                    help: None,
                    labels: Vec::new(),
                    instead: None,
                }),
            },
            Self::Match(key) => key.check(value).err().map(|why| refused(code::MATCH_VALUE, why)),
            Self::Bandwidth(unit, code) => {
                let joined = Value {
                    unit: unit.clone().or_else(|| value.unit.clone()),
                    ..value.clone()
                };
                match values::bandwidth(&joined) {
                    Ok((_, true)) => None,
                    Ok((_, false)) => Some(Problem {
                        code: code::UNIT,
                        message: format!("`{}` has no unit; megabits per second are meant", shown(value)),
                        help: None,
                        labels: Vec::new(),
                        instead: Some((format!("{}(mbps)", shown(value)), Sure::Yes)),
                    }),
                    Err(why) => Some(refused(*code, why)),
                }
            }
            Self::Precedence => values::precedence(value)
                .err()
                .map(|why| refused(code::ACTION_VALUE, why)),
            Self::Prefix => values::prefix(value)
                .err()
                .map(|why| refused(code::PROPERTY_VALUE, why)),
            Self::Moment(clock, comparison) => clock
                .moments(*comparison, value)
                .err()
                .map(|why| refused(code::CONDITION, why)),
            Self::Number => values::number(value).err().map(|why| refused(code::CONDITION, why)),
        }
    }
}

/// What is wrong with the name of an interface, or strange about it.
pub(crate) fn interface_problem(leaf: &Leaf, name: &str) -> Option<Problem> {
    match find(leaf, name) {
        Found::Named(_) => None,
        Found::Local(at) => {
            let interface = &leaf.interfaces[at];
            Some(Problem {
                code: code::INTERFACE_LOCAL,
                message: format!(
                    "`{name}` is the name inside {}; outside the interface is called `{}`",
                    interface.vnfc.as_deref().unwrap_or("the machine"),
                    interface.name
                ),
                help: None,
                labels: interface_labels(leaf, [interface]).collect(),
                instead: Some((interface.name.clone(), Sure::Yes)),
            })
        }
        Found::Several(several) => {
            let interfaces: Vec<_> = several.iter().map(|at| &leaf.interfaces[*at]).collect();
            let apart: Vec<String> = interfaces.iter().map(|interface| told_apart(interface)).collect();
            Some(Problem {
                code: code::INTERFACE_AMBIGUOUS,
                message: format!("`{name}` can be {} interfaces of {}", several.len(), leaf.file),
                help: Some(format!("say which: {}", listed(apart.iter().map(String::as_str)))),
                labels: interface_labels(leaf, interfaces).collect(),
                instead: None,
            })
        }
        Found::None => {
            let names = || leaf.interfaces.iter().map(|interface| interface.name.as_str());
            let near = nearest(name, names());
            let list = match leaf.interfaces.len() {
                0 => "it has no interfaces".to_owned(),
                _ => format!("its interfaces are {}", listed(names())),
            };
            Some(Problem {
                code: code::INTERFACE,
                message: format!("{} has no interface `{name}`", leaf.file),
                help: Some(match near {
                    Some(near) => format!("{list}; the nearest is `{near}`"),
                    None => list,
                }),
                labels: interface_labels(leaf, &leaf.interfaces).collect(),
                instead: near.map(|near| (near.to_owned(), Sure::No)),
            })
        }
    }
}
