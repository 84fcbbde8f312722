// SPDX-License-Identifier: GPL-2.0

//! The fields of the trace events, as docs/events.md describes them.

use crate::{
    failure::Failure,
    trace::Kind, //
};
use imgrement_core::ring::layout::Field;

/// The kinds of events, in the order of the constants below.
pub(crate) const KINDS: [&str; 6] = ["request", "complete", "mark", "table", "delta", "match"];
pub(super) const REQUEST: usize = 0;
pub(super) const COMPLETE: usize = 1;
pub(super) const MARK: usize = 2;
pub(super) const TABLE: usize = 3;
pub(super) const DELTA: usize = 4;
pub(super) const MATCH: usize = 5;

/// How many of the kinds are always recorded.
pub(crate) const ALWAYS: usize = 4;

macro_rules! fields {
    ($($(#[doc = $doc:literal])* $type:ident { $($field:ident: $name:literal,)* })*) => {
        $(
            $(#[doc = $doc])*
            pub(super) struct $type {
                $(pub(super) $field: Field,)*
            }

            impl $type {
                pub(super) fn find(kind: &Kind) -> Result<Self, Failure> {
                    Ok(Self { $($field: kind.field($name)?,)* })
                }
            }
        )*
    };
}

fields! {
    /// Those of `request`.
    Request {
        pid: "common_pid", device: "dev", op: "op", id: "id", sector: "sector", bytes: "bytes", flags: "flags",
        deltas: "deltas", hits: "hits", page: "page", copy: "copy", across: "across", command: "command",
        cgroup: "cgroup",
    }

    /// Those of `complete`.
    Complete {
        device: "dev", op: "op", id: "id", sector: "sector", bytes: "bytes", flags: "flags", errno: "errno",
        latency: "latency", command: "command",
    }

    /// Those of `mark`.
    Mark {
        device: "dev", text: "text",
    }

    /// Those of `table`.
    Table {
        device: "dev", line: "line", why: "why",
    }

    /// Those of `delta`.
    Delta {
        device: "dev", id: "id", length: "length", offset: "offset", sector: "sector", hits: "hits",
    }

    /// Those of `match`.
    Match {
        device: "dev", id: "id", place: "where", sector: "sector", byte: "byte", pattern: "pattern",
    }
}

/// The fields of all kinds.
pub(crate) struct Fields {
    pub(super) request: Request,
    pub(super) complete: Complete,
    pub(super) mark: Mark,
    pub(super) table: Table,
    pub(super) delta: Option<Delta>,
    pub(super) found: Option<Match>,
}

impl Fields {
    /// The fields of these kinds, which are in the order of `KINDS`. `delta` and `match` may be missing.
    pub(crate) fn find<'k>(kind: impl Fn(&str) -> Option<&'k Kind>) -> Result<Self, Failure> {
        let always = |name: &str| {
            kind(name).ok_or_else(|| Failure::new(format_args!("the event {name} is missing")))
        };
        Ok(Self {
            request: Request::find(always("request")?)?,
            complete: Complete::find(always("complete")?)?,
            mark: Mark::find(always("mark")?)?,
            table: Table::find(always("table")?)?,
            delta: kind("delta").map(Delta::find).transpose()?,
            found: kind("match").map(Match::find).transpose()?,
        })
    }
}
