// SPDX-License-Identifier: GPL-2.0

//! A closer look at a request: its segments are searched, and recorded for the log.

use super::{
    counters::Counter,
    record::{
        Complete,
        Draft,
        Finds, //
    },
    search::Scan,
    sys::{
        events::Reporter,
        pool::Chain, //
    },
    Trace, //
};
use crate::{
    config::arguments::Params,
    dm::{
        Segments,
        Worker, //
    },
    record::{
        Cursor,
        Header,
        Op,
        SECTOR_SIZE, //
    },
    search::edges::{
        Ends,
        Neighbours, //
    },
};

impl Trace {
    /// Searches a write that needs nothing else. This is [`Self::examine`] without a record, and without the cost of
    /// one.
    #[inline(never)]
    pub(super) fn search(&self, segments: Segments<'_>, bytes: u64) {
        let settings = self.settings.read();
        // A message may have replaced them since they were asked for.
        let Some(mut scan) = settings.search.begin(bytes, &self.counters, None) else {
            return;
        };
        let mut page: u64 = 0;

        for segment in segments {
            // 0 is as good as any index of a delta: only finds have it, and there are none.
            page = page.wrapping_add(u64::from(scan.page(&segment, 0, None)));
        }
        self.count_found(page, 0, scan.across());
    }

    /// Counts what was found in the pages, in their copies, and across segments.
    fn count_found(&self, page: u64, deltas: u64, across: u64) {
        if page | deltas | across != 0 {
            self.counters.add(Counter::Page, page);
            self.counters.add(Counter::Deltas, deltas);
            self.counters.add(Counter::Across, across);
        }
    }

    /// Searches a request, if its payload is there, and records it. Returns whether it is to be logged, and its
    /// record.
    ///
    /// The parts that need much stack are split between this function and the next one, so that neither needs too
    /// much.
    pub(super) fn examine(
        &self,
        segments: Segments<'_>,
        header: &mut Header,
        payload: bool,
        reporter: &Reporter,
        worker: Worker<'_>,
    ) -> (bool, Option<Complete<'_>>) {
        let settings = self.settings.read();
        let params = &settings.params;
        let keep = params.data && header.op.writes();

        let mut scan = match payload && params.ops.contain(header.op) {
            true => settings
                .search
                .begin(header.bytes, &self.counters, reporter.matches()),
            false => None,
        };
        let closed = params.log && self.settings.is_log_closed();
        let mut draft = match params.log && !closed || keep && !params.log {
            true => self.draft(segments.clone(), keep, worker),
            false => None,
        };
        let finds = self.walk(
            params,
            segments,
            header,
            scan.as_mut(),
            draft.as_mut(),
            reporter,
        );
        if closed {
            self.counters.add(Counter::LeftOut, 1);
        }

        let record = match draft {
            Some(draft) if params.log => Some(draft.complete(header, finds)),
            // Without a log, nothing reads it, and its blocks go back.
            _ => None,
        };
        (params.log, record)
    }

    /// Goes through the segments of a request. Searches them, adds a delta for each to the draft, and adds the results
    /// to the header and `reporter`. Returns the finds that did not fit into the draft.
    #[inline(never)]
    fn walk<'p>(
        &'p self,
        params: &Params,
        segments: Segments<'_>,
        header: &mut Header,
        mut scan: Option<&mut Scan<'_>>,
        mut draft: Option<&mut Draft<'p>>,
        reporter: &Reporter,
    ) -> Option<Chain<'p>> {
        let mut writer = draft.as_mut().map(|draft| draft.writer());
        let mut cursor = Cursor::new(header.sector);
        let mut page: u64 = 0;
        let mut deltas: u64 = 0;
        for segment in segments.clone() {
            let mut delta = cursor.delta(segment.offset(), segment.len());

            if let Some(scan) = &mut scan {
                let finds = writer.as_mut().map(|writer| &mut writer.finds);
                delta.page_hits = scan.page(&segment, delta.index, finds);
            }
            if let Some(writer) = &mut writer {
                if let Some((copy, scan)) = writer.copy(&segment).zip(scan.as_deref_mut()) {
                    scan.copy(copy, &mut delta, &mut writer.finds);
                }
                writer.add(&delta);
            }
            reporter.delta(&delta);
            page = page.wrapping_add(u64::from(delta.page_hits));
            deltas = deltas.wrapping_add(u64::from(delta.copy_hits));
        }

        header.deltas = cursor.count();
        let across = scan.as_ref().map_or(0, |scan| scan.across());
        header.straddling = u32::try_from(across).unwrap_or(u32::MAX);
        self.count_found(page, deltas, across);
        let mut requests = 0;
        if let Some(scan) = scan.filter(|_| params.edges != 0) {
            let finds = writer.as_mut().map(|writer| &mut writer.finds);
            requests = self.meet_neighbours(segments, header, scan, finds);
        }
        reporter.found(page, deltas, across, requests);
        let finds = writer?.finds;
        if params.log && !finds.is_complete() {
            self.counters.add(Counter::FindsLost, 1);
        }
        finds.into_chain()
    }

    /// Takes what the record of a request of these segments needs from the pool. Counts what there is no space for;
    /// the worker reports it.
    fn draft(&self, segments: Segments<'_>, keep: bool, worker: Worker<'_>) -> Option<Draft<'_>> {
        let draft = Draft::new(&self.pool, segments, keep);
        let lost = match draft.as_ref().map(Draft::has_lost_bytes) {
            Some(false) => return draft,
            Some(true) => Counter::DataLost,
            None => Counter::RecordLost,
        };

        self.counters.add(Counter::Degraded, 1);
        self.counters.add(lost, 1);
        self.wake(worker);
        draft
    }

    /// Searches what straddles a write and adjacent earlier ones. The sectors of a zone append are not known yet.
    /// Returns the number of occurrences.
    #[inline(never)]
    fn meet_neighbours(
        &self,
        segments: Segments<'_>,
        header: &Header,
        scan: &mut Scan<'_>,
        finds: Option<&mut Finds<'_, '_>>,
    ) -> u64 {
        if header.op != Op::Write {
            return 0;
        }
        let mut ends = Ends::new(header.bytes);
        for segment in segments {
            segment.with_bytes(|bytes| ends.add(bytes));
        }

        self.search_neighbours(header, &ends, scan, finds)
    }

    /// The second half, with the adjacent bytes in a stack frame of its own.
    #[inline(never)]
    fn search_neighbours(
        &self,
        header: &Header,
        ends: &Ends,
        scan: &mut Scan<'_>,
        finds: Option<&mut Finds<'_, '_>>,
    ) -> u64 {
        let end = header.sector.saturating_add(header.bytes / SECTOR_SIZE);
        let mut neighbours = Neighbours::NONE;

        self.edges
            .lock()
            .meet(header.sector, end, ends, &mut neighbours);
        if neighbours.forgot {
            self.counters.add(Counter::EdgesForgotten, 1);
        }
        let times = scan.requests(ends, &neighbours, finds);
        if times != 0 {
            self.counters.add(Counter::AcrossRequests, times);
        }
        times
    }
}
