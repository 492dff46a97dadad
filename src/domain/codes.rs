//! Enumerations whose names are part of the public contract.

/// Declares an enumeration that is stored, sent and documented by stable upper-case codes.
/// The doc comments become the descriptions in the GraphQL schema, so they are written once, here.
macro_rules! codes {
    (
        $(#[doc = $type_doc:literal])+
        $name:ident { $( $(#[doc = $doc:literal])+ $variant:ident = $code:literal ),+ $(,)? }
    ) => {
        $(#[doc = $type_doc])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $( $(#[doc = $doc])+ #[serde(rename = $code)] $variant ),+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// What the enumeration means, for people who never see the source.
            pub const DESCRIPTION: &'static str = concat!($($type_doc),+);

            /// The stable code: stored, sent and matched on by clients.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// What the value means, for people who never see the source.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+)),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.code())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::codes::UnknownCode;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|value| value.code() == text)
                    .ok_or_else(|| $crate::domain::codes::UnknownCode {
                        enumeration: stringify!($name),
                        code: text.to_owned(),
                    })
            }
        }
    };
}
pub(crate) use codes;

/// A text that is no code of its enumeration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?} is no {enumeration}")]
pub struct UnknownCode {
    /// The enumeration that was expected.
    pub enumeration: &'static str,
    /// The text that was found.
    pub code: String,
}
