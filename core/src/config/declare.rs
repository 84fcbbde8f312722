// SPDX-License-Identifier: GPL-2.0

//! What follows from the rows of `arguments.rs`.

use core::ffi::CStr;

/// Declares settings. For each: a variant of `Argument` and `Setting`, the field of `Params` and its type, its
/// default, when it may be given, and the reader of its values (a `Parse`).
macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident $name:ident: $type:ty = $default:expr, $given:ident, $values:expr;
    )*) => {
        /// All settings of a target, except for its patterns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Params {
            $(
                $(#[doc = $doc])*
                pub $name: $type,
            )*
        }

        /// The settings of a table without arguments.
        impl Default for Params {
            fn default() -> Self {
                Self {
                    $($name: $default,)*
                }
            }
        }

        impl Params {
            /// Changes one of them.
            pub fn set(&mut self, setting: Setting) {
                match setting {
                    $(Setting::$variant(value) => self.$name = value,)*
                }
            }

            /// The value of an argument; `None` if it has none. See also [`Self::shown`].
            pub fn value(&self, argument: Argument) -> Option<$crate::config::values::Value<'_>> {
                match argument {
                    $(Argument::$variant => $crate::config::values::Parse::view(&$values, &self.$name),)*
                }
            }
        }

        /// The name of a setting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Argument {
            $(
                $(#[doc = $doc])*
                $variant,
            )*
        }

        impl Argument {
            /// All of them, in the order in which they print.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word itself.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)*
                }
            }

            /// What it does: the text above its row. It begins with a space.
            pub fn help(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),*),)*
                }
            }

            /// When it may be given.
            pub fn given(self) -> Given {
                match self {
                    $(Self::$variant => Given::$given,)*
                }
            }

            /// The kind of its values.
            pub fn kind(self) -> $crate::config::values::Kind {
                match self {
                    $(Self::$variant => $crate::config::values::Parse::kind(&$values),)*
                }
            }

            /// The sentence about a wrong value, for device-mapper's own line.
            pub(super) fn invalid(self) -> &'static core::ffi::CStr {
                match self {
                    $(Self::$variant => const {
                        $crate::config::declare::sentence(concat!("Invalid ", stringify!($name), "\0"))
                    },)*
                }
            }

            /// Reads its value.
            ///
            /// # Errors
            ///
            /// What is wrong with the word.
            pub(super) fn parse(
                self,
                word: &[u8],
            ) -> Result<Setting, $crate::config::fault::Fault> {
                match self {
                    $(
                        Self::$variant => {
                            $crate::config::values::Parse::parse(&$values, word).map(Setting::$variant)
                        }
                    )*
                }
            }
        }

        /// A setting and its new value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Setting {
            $(
                $(#[doc = $doc])*
                $variant($type),
            )*
        }

        impl Setting {
            /// Which one it is.
            pub fn argument(&self) -> Argument {
                match self {
                    $(Self::$variant(_) => Argument::$variant,)*
                }
            }
        }
    };
}

pub(super) use settings;

/// A text that ends with its only NUL, for C.
pub(super) const fn sentence(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(sentence) => sentence,
        Err(_) => c"Invalid",
    }
}
