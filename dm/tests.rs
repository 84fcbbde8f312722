// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of code that needs a kernel. They are built into a module of their own
//! (`tests/modules/dm_test_kunit.rs`), and run when it is loaded.

use super::{
    args::{
        Args,
        CtrError, //
    },
    bindings,
    bio::{
        MapBio,
        PerBio,
        Space, //
    },
    bio_queue::BioQueue,
    bytes::word,
    device::{
        Device,
        Open,
        Role, //
    },
    io,
    io_memory::IoMemory,
    limits::{
        atomic_write_unit,
        QueueLimits, //
    },
    owned::OwnedBio,
    segment::Segments,
    status::StatusWriter,
    transfer::{
        self,
        ReadBuffer,
        Writer, //
    },
    work::WorkQueue,
    worker::Item, //
};
use core::{
    ptr::NonNull,
    sync::atomic::{
        AtomicPtr,
        AtomicU32,
        Ordering, //
    },
};
use kernel::{
    bindings::{
        bio,
        queue_limits,
        work_struct, //
    },
    ffi::c_char,
    page::PAGE_SIZE,
    prelude::*,
    str::CString,
    sync::Arc, //
};

/// Arguments of these words.
fn args<'a>(words: &'a mut [*mut c_char]) -> Args<'a> {
    // SAFETY: The tests pass static strings, as many as the slice has.
    unsafe {
        Args::from_raw(
            c"253:7".as_char_ptr(),
            words.len() as u32,
            words.as_mut_ptr(),
        )
    }
}

/// A word of `argv`.
fn argument(text: &'static CStr) -> *mut c_char {
    text.as_char_ptr().cast_mut()
}

/// Errno and sentence of an error.
fn refused<T>(result: Result<T, CtrError>) -> Option<(i32, &'static CStr)> {
    let error = result.err()?;
    Some((error.errno().to_errno(), error.sentence()))
}

const EINVAL_CODE: i32 = -(kernel::bindings::EINVAL as i32);
const ENOMEM_CODE: i32 = -(kernel::bindings::ENOMEM as i32);

#[kunit_tests(dm_args)]
mod args_tests {
    use super::*;

    #[test]
    fn none() {
        // SAFETY: There are no words.
        let mut args = unsafe { Args::from_raw(c"253:7".as_char_ptr(), 0, core::ptr::null_mut()) };

        assert!(args.is_empty());
        assert!(args.next().is_none());
        assert_eq!(args.device(), c"253:7");
        assert_eq!(
            refused(args.next_word("DEVICE")),
            Some((EINVAL_CODE, c"Too few arguments"))
        );
        assert!(args.rest_as_group().is_ok_and(|group| group.is_empty()));
    }

    #[test]
    fn words_in_order() {
        let mut words = [argument(c"one"), argument(c""), argument(c"\xff %")];
        let mut args = args(&mut words);

        assert_eq!(args.len(), 3);
        assert_eq!(args.next(), Some(c"one"));
        assert_eq!(args.next(), Some(c""));
        assert_eq!(args.next(), Some(c"\xff %"));
        assert_eq!(args.next(), None);
        assert_eq!(args.len(), 0);
    }

    #[test]
    fn numbers() {
        let good = [
            (c"0", 0),
            (c"00010", 10),
            (c"18446744073709551615", u64::MAX),
        ];
        for (text, wanted) in good {
            let mut words = [argument(text)];
            let number = args(&mut words).next_u64("N", 0..=u64::MAX, c"Bad number");
            assert!(number.is_ok_and(|number| number == wanted));
        }
        let bad = [
            c"",
            c"-1",
            c"+1",
            c"1 ",
            c"1:",
            c"1/",
            c"0x10",
            c"1e3",
            c"18446744073709551616",
        ];
        for text in bad {
            let mut words = [argument(text)];
            let number = args(&mut words).next_u64("N", 0..=u64::MAX, c"Bad number");
            assert_eq!(refused(number), Some((EINVAL_CODE, c"Bad number")));
        }
        for (text, fits) in [(c"4", false), (c"5", true), (c"7", true), (c"8", false)] {
            let mut words = [argument(text)];
            let number = args(&mut words).next_u64("N", 5..=7, c"Bad number");
            assert_eq!(number.is_ok(), fits);
        }
    }

    #[test]
    fn groups() {
        let mut words = [argument(c"2"), argument(c"data"), argument(c"on")];
        let mut whole = args(&mut words);
        let group = whole.rest_as_group();
        assert!(whole.is_empty());
        assert!(group.is_ok_and(|group| group.eq([c"data", c"on"])));

        for count in [c"1", c"3", c"two", c""] {
            let mut words = [argument(count), argument(c"data"), argument(c"on")];
            let group = args(&mut words).rest_as_group();
            assert_eq!(
                refused(group),
                Some((EINVAL_CODE, c"Argument count does not match"))
            );
        }
    }

    #[test]
    fn errors() {
        let sentence = c"Cannot set up the target";
        let error = CtrError::from(ENOMEM);
        assert_eq!(error.errno().to_errno(), ENOMEM_CODE);
        assert_eq!(error.sentence(), sentence);

        let error = CtrError::from(kernel::alloc::AllocError);
        assert_eq!(error.errno().to_errno(), ENOMEM_CODE);
        assert_eq!(error.sentence(), c"Cannot allocate memory");

        // A word that is longer than a line of the log does no harm.
        let long = CString::try_from_fmt(format_args!("{:>5000}", "x"));
        assert!(long.is_ok());
        if let Ok(long) = long {
            let mut words = [];
            let error =
                args(&mut words).refuse(Some(&long), EBUSY, c"Busy", format_args!("nothing"));
            assert_eq!(error.errno().to_errno(), -(kernel::bindings::EBUSY as i32));
            assert_eq!(error.sentence(), c"Busy");
        }
    }
}

#[kunit_tests(dm_status)]
mod status_tests {
    use super::*;
    use kernel::fmt::Write;

    /// The content of a buffer of `size` bytes after `texts`, up to the NUL. The byte after the buffer must not
    /// change.
    fn written(size: u32, texts: &[&str]) -> Option<KVec<u8>> {
        let mut buffer = KVec::from_elem(b'#', size as usize + 1, GFP_KERNEL).ok()?;
        // SAFETY: The buffer has that size, and one byte more.
        let mut out = unsafe { StatusWriter::from_raw(buffer.as_mut_ptr().cast(), size) }?;
        for text in texts {
            out.write_str(text).ok()?;
        }
        if buffer.last() != Some(&b'#') {
            return None;
        }
        let end = buffer.iter().position(|byte| *byte == 0)?;
        if end >= size as usize {
            return None;
        }
        buffer.truncate(end);
        Some(buffer)
    }

    #[test]
    fn fits() {
        assert!(written(10, &[]).is_some_and(|text| text.is_empty()));
        assert!(written(10, &["one", " ", "two"]).is_some_and(|text| *text == *b"one two"));
        assert!(written(10, &["123456789"]).is_some_and(|text| *text == *b"123456789"));
    }

    #[test]
    fn cut_off() {
        assert!(written(10, &["0123456789"]).is_some_and(|text| *text == *b"012345678"));
        assert!(written(10, &["12345", "6789a", "b"]).is_some_and(|text| *text == *b"123456789"));
        assert!(written(2, &["ab"]).is_some_and(|text| *text == *b"a"));
    }

    #[test]
    fn no_room() {
        let mut byte = b'#';
        // SAFETY: No byte may be written.
        assert!(unsafe { StatusWriter::from_raw((&raw mut byte).cast(), 0) }.is_none());
        assert_eq!(byte, b'#');
        // SAFETY: The null pointer may not be written to.
        assert!(unsafe { StatusWriter::from_raw(core::ptr::null_mut(), 9) }.is_none());
        // SAFETY: There is that one byte.
        let out = unsafe { StatusWriter::from_raw((&raw mut byte).cast(), 1) };
        assert!(out.is_some_and(|mut out| out.write_str("text").is_ok()));
        assert_eq!(byte, 0);
    }
}

#[kunit_tests(dm_per_bio)]
mod per_bio_tests {
    use super::*;

    /// Ends as soon as it has completed.
    #[derive(Default)]
    struct Plain<T>(#[expect(dead_code, reason = "Its size is what counts.")] T);

    impl<T: Default + Send + 'static> PerBio for Plain<T> {}

    /// May end late.
    #[derive(Default)]
    struct Late<T>(#[expect(dead_code, reason = "Its size is what counts.")] T);

    impl<T: Default + Send + 'static> PerBio for Late<T> {
        const LATE: bool = true;
    }

    /// Whether the space of a `P` is aligned, ends before the bio itself, and is found again.
    fn fits<P: PerBio>() -> bool {
        let mut room = [0u64; 512];
        let room = &raw mut room;
        // SAFETY: The middle lies within.
        let bio = unsafe { NonNull::new_unchecked(room.cast::<u64>().add(256).cast::<bio>()) };
        // SAFETY: With all zeroes, the memory before a bio says that it is a target's clone, and there is space
        // for that and a `P`.
        let place = unsafe { Space::<P>::own(bio) };
        let end = place.as_ptr().cast::<u8>().wrapping_add(size_of::<P>());

        place.is_aligned()
            && (Space::<P>::SIZE == 0
                || (room.cast::<u8>() <= place.as_ptr().cast() && end <= bio.as_ptr().cast()))
    }

    #[test]
    fn sizes() {
        assert_eq!(Space::<()>::SIZE, 0);
        assert_eq!(Space::<Plain<u8>>::SIZE, 8);
        assert_eq!(Space::<Plain<u64>>::SIZE, 8);
        assert_eq!(Space::<Plain<[u64; 3]>>::SIZE, 24);
        // Only types that ask for it have the space for ending late.
        let late = Space::<Late<()>>::SIZE;
        assert!(late >= size_of::<work_struct>());
        assert_eq!(Space::<Late<u64>>::SIZE, late + 8);
        assert_eq!(Space::<Late<(u64, u8)>>::SIZE, late + 16);
    }

    /// Has no bytes, but a drop.
    #[derive(Default)]
    struct Counted;

    impl PerBio for Counted {}

    static DROPS: AtomicU32 = AtomicU32::new(0);

    impl Drop for Counted {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn data_without_bytes_is_dropped_once() {
        // Without bytes, the bio is not accessed.
        let bio = NonNull::<bio>::dangling();
        // SAFETY: The same calls as in `Callbacks`, in the same order.
        unsafe {
            Space::init(bio, Counted);
            assert_eq!(DROPS.load(Ordering::Relaxed), 0);
            core::ptr::drop_in_place(Space::<Counted>::own(bio).as_ptr());
        }
        assert_eq!(DROPS.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn places() {
        assert!(fits::<()>());
        assert!(fits::<Plain<u8>>());
        assert!(fits::<Plain<[u8; 9]>>());
        assert!(fits::<Plain<[u64; 20]>>());
        assert!(fits::<Late<()>>());
        assert!(fits::<Late<u8>>());
        assert!(fits::<Late<[u64; 20]>>());
    }
}

#[expect(
    improper_ctypes,
    reason = "An empty array deep within a bio is nothing to a pointer."
)]
extern "C" {
    fn dm_test_bio(opf: u32) -> *mut bio;
    fn dm_test_bio_tail(bio: *mut bio, skip: u32, size: u32) -> *mut bio;
    fn dm_test_bio_put(bio: *mut bio);
}

#[kunit_tests(dm_segments)]
mod segment_tests {
    use super::*;
    use kernel::bindings::{
        req_op_REQ_OP_DISCARD,
        req_op_REQ_OP_FLUSH,
        req_op_REQ_OP_READ,
        req_op_REQ_OP_WRITE, //
    };

    /// A bio from the C side, which defines its bytes.
    struct Bio(NonNull<bio>);

    impl Bio {
        fn new(op: u32) -> Option<Self> {
            // SAFETY: It is called where sleeping is allowed.
            NonNull::new(unsafe { dm_test_bio(op) }).map(Self)
        }

        fn tail(&self, skip: u32, size: u32) -> Option<Self> {
            // SAFETY: `self` is live, and has that many bytes.
            NonNull::new(unsafe { dm_test_bio_tail(self.0.as_ptr(), skip, size) }).map(Self)
        }

        /// Offset and length of each segment.
        fn is_cut(&self, wanted: &[(u32, u32)]) -> bool {
            // SAFETY: It is never submitted.
            let segments = unsafe { Segments::new(self.0) };
            segments.clone().count() == wanted.len()
                && segments
                    .map(|segment| (segment.offset(), segment.len()))
                    .eq(wanted.iter().copied())
        }

        /// Whether its bytes, copied and read in place, are those of the C side from `begin` to `end`.
        fn has(&self, begin: u32, end: u32) -> bool {
            let byte = |at: u32| (at + (at >> 8)) as u8;
            let mut copy = [0u8; 4096];
            let mut at = begin;
            // SAFETY: It is never submitted.
            for segment in unsafe { Segments::new(self.0) } {
                let wanted = (at..).map(byte).take(segment.len() as usize);
                let copied = segment.copy_to(&mut copy);
                let seen = segment.with_bytes(|bytes| bytes.iter().eq(wanted.clone()));
                if !seen || !copy.iter().take(copied).copied().eq(wanted) {
                    return false;
                }
                at += segment.len();
            }
            at == end
        }
    }

    impl Drop for Bio {
        fn drop(&mut self) {
            // SAFETY: It is live, and nothing uses it any more. A tail is dropped before its parent.
            unsafe { dm_test_bio_put(self.0.as_ptr()) };
        }
    }

    #[test]
    fn pages_of_vectors() {
        for op in [req_op_REQ_OP_READ, req_op_REQ_OP_WRITE] {
            let bio = Bio::new(op);
            assert!(bio.is_some());
            let Some(bio) = bio else { return };
            assert!(bio.is_cut(&[(512, 3584), (0, 4096), (0, 1536), (3072, 1024)]));
            assert!(bio.has(0, 10240));
        }
    }

    #[test]
    fn begins_within_a_vector() {
        let bio = Bio::new(req_op_REQ_OP_WRITE);
        assert!(bio.is_some());
        let Some(bio) = bio else { return };
        // Skipped and wanted bytes, and the expected segments.
        let tails = [
            (512, 512, &[(1024, 512)][..]),
            (3584, 4096, &[(0, 4096)]),
            (3072, 1024, &[(3584, 512), (0, 512)]),
            (7680, 2560, &[(0, 1536), (3072, 1024)]),
            (9216, 1024, &[(3072, 1024)]),
            (9728, 512, &[(3584, 512)]),
        ];
        for (skip, size, wanted) in tails {
            let tail = bio.tail(skip, size);
            assert!(tail.is_some_and(|tail| tail.is_cut(wanted) && tail.has(skip, skip + size)));
        }
        // The parent has not changed.
        assert!(bio.has(0, 10240));
    }

    #[test]
    fn no_payload() {
        for op in [req_op_REQ_OP_DISCARD, req_op_REQ_OP_FLUSH] {
            assert!(Bio::new(op).is_some_and(|bio| bio.is_cut(&[]) && bio.has(0, 0)));
        }
    }

    #[test]
    fn short_copies() {
        let bio = Bio::new(req_op_REQ_OP_WRITE);
        assert!(bio.is_some());
        let Some(bio) = bio else { return };
        let mut room = [b'#'; 5];
        // SAFETY: It is never submitted.
        let first = unsafe { Segments::new(bio.0) }.next();
        let copied = first.map(|segment| segment.copy_to(&mut room[..4]));
        assert_eq!(copied, Some(4));
        assert_eq!(room, [0, 1, 2, 3, b'#']);
    }
}

#[kunit_tests(dm_owned)]
mod owned_tests {
    use super::*;
    use kernel::bindings::{
        req_op_REQ_OP_READ,
        req_op_REQ_OP_WRITE, //
    };

    /// The bios that have ended, and the status and the address of the last one.
    static ENDED: AtomicU32 = AtomicU32::new(0);
    static STATUS: AtomicU32 = AtomicU32::new(0);
    static LAST: AtomicPtr<bio> = AtomicPtr::new(core::ptr::null_mut());

    /// # Safety
    ///
    /// The bio is one of `new`.
    unsafe extern "C" fn ended(bio: *mut bio) {
        ENDED.fetch_add(1, Ordering::Relaxed);
        LAST.store(bio, Ordering::Relaxed);
        // SAFETY: The bio has ended. So this is its last use.
        unsafe {
            STATUS.store(u32::from((*bio).bi_status), Ordering::Relaxed);
            dm_test_bio_put(bio);
        }
    }

    /// A bio as `map` defers it, and its address.
    fn new(op: u32) -> Option<(OwnedBio<()>, *mut bio)> {
        // SAFETY: It is called where sleeping is allowed.
        let bio = NonNull::new(unsafe { dm_test_bio(op) })?;

        // SAFETY: The bio is ours. Nothing looks at its target: it has no per-bio space, and nobody asks for its
        // sector.
        unsafe {
            (*bio.as_ptr()).bi_end_io = Some(ended);
            Some((OwnedBio::from_raw(bio, NonNull::dangling()), bio.as_ptr()))
        }
    }

    /// The status with which a bio ends.
    fn status(op: u32, end: impl FnOnce(OwnedBio<()>)) -> Option<u32> {
        let before = ENDED.load(Ordering::Relaxed);
        let (bio, _) = new(op)?;
        end(bio);
        (ENDED.load(Ordering::Relaxed) == before + 1).then(|| STATUS.load(Ordering::Relaxed))
    }

    #[test]
    fn statuses() {
        const WRITE: u32 = req_op_REQ_OP_WRITE;
        const READ: u32 = req_op_REQ_OP_READ;
        let failed = u32::from(bindings::DM_STS_IOERR);
        // SAFETY: The function takes any errno.
        let full = unsafe { kernel::bindings::errno_to_blk_status(ENOSPC.to_errno()) };

        assert_eq!(status(WRITE, |bio| bio.end(Ok(()))), Some(0));
        assert_eq!(
            status(WRITE, |bio| bio.end(Err(ENOSPC))),
            Some(u32::from(full))
        );
        assert_eq!(status(WRITE, drop), Some(failed));
        assert_eq!(status(READ, drop), Some(failed));
        assert_eq!(
            status(WRITE, OwnedBio::requeue),
            Some(u32::from(bindings::DM_STS_REQUEUE))
        );
        // A device of another target.
        let open = Open::new(NonNull::from(&failed).cast(), Role::Data);
        // SAFETY: Nothing looks at its block device, because it belongs to another target.
        let device = unsafe { Device::of(NonNull::from(&open)) };
        assert_eq!(status(WRITE, |bio| bio.submit(device, 0)), Some(failed));
        // The reader would get old memory.
        assert_eq!(status(READ, |bio| bio.end(Ok(()))), Some(failed));
    }

    #[test]
    fn may_wait() {
        use kernel::bindings::{
            req_flag_bits___REQ_FUA,
            req_flag_bits___REQ_NOWAIT,
            req_flag_bits___REQ_POLLED, //
        };
        let waits = req_op_REQ_OP_WRITE | 1 << req_flag_bits___REQ_FUA;
        let flags = waits | 1 << req_flag_bits___REQ_NOWAIT | 1 << req_flag_bits___REQ_POLLED;
        let made = new(req_op_REQ_OP_WRITE);
        assert!(made.is_some());
        let Some((bio, address)) = made else { return };
        let (raw, ti) = bio.into_raw();
        // SAFETY: The bio is live and ours.
        unsafe { (*address).bi_opf = flags };
        // SAFETY: As in `new`. `'b` is that of this block.
        let (mapped, bio) = unsafe { MapBio::<()>::from_raw(raw, ti) }.defer();
        // SAFETY: The bio is live and ours.
        assert_eq!(unsafe { (*address).bi_opf }, waits);
        assert!(mapped.completes() && bio.is_fua() && !bio.is_nowait());
    }

    #[test]
    fn in_order() {
        let mut queue = BioQueue::new();
        let mut wanted = [core::ptr::null_mut(); 4];

        assert!(queue.is_empty() && queue.pop().is_none());
        for _ in 0..2 {
            // The third one is pushed to the front.
            for (at, place) in [1, 2, 0, 3].into_iter().zip([false, false, true, false]) {
                let made = new(req_op_REQ_OP_WRITE);
                assert!(made.is_some());
                let Some((bio, address)) = made else { return };
                wanted[at] = address;
                match place {
                    false => queue.push(bio),
                    true => queue.push_front(bio),
                }
            }
            assert_eq!(queue.len(), 4);
            for address in wanted {
                let before = ENDED.load(Ordering::Relaxed);
                let popped = queue.pop();
                assert!(popped.is_some());
                // SAFETY: It is live, and only we use it.
                assert!(unsafe { (*address).bi_next.is_null() && (*address).bi_private.is_null() });
                drop(popped);
                assert_eq!(ENDED.load(Ordering::Relaxed), before + 1);
                assert_eq!(LAST.load(Ordering::Relaxed), address);
            }
            assert!(queue.is_empty() && queue.len() == 0 && queue.pop().is_none());
        }
    }

    #[test]
    fn dropped_with_its_queue() {
        let before = ENDED.load(Ordering::Relaxed);
        let mut queue = BioQueue::default();
        let mut last = core::ptr::null_mut();

        for _ in 0..3 {
            if let Some((bio, address)) = new(req_op_REQ_OP_WRITE) {
                queue.push(bio);
                last = address;
            }
        }
        drop(core::mem::take(&mut queue));
        assert!(queue.is_empty());
        assert_eq!(ENDED.load(Ordering::Relaxed), before + 3);
        assert_eq!(LAST.load(Ordering::Relaxed), last);
        assert_eq!(
            STATUS.load(Ordering::Relaxed),
            u32::from(bindings::DM_STS_IOERR)
        );
    }
}

#[kunit_tests(dm_transfer)]
mod transfer_tests {
    use super::*;
    use kernel::ffi::c_void;

    static WORKED: AtomicU32 = AtomicU32::new(0);

    unsafe extern "C" fn work(_work: *mut work_struct) {
        WORKED.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn memory() {
        assert_eq!(IoMemory::new(0).err(), Some(ENOMEM));
        let buffer = ReadBuffer::new(3 * PAGE_SIZE + 512);
        assert!(buffer.is_ok());
        let Ok(buffer) = buffer else { return };
        let bytes = buffer.bytes();
        assert_eq!(bytes.len(), 3 * PAGE_SIZE + 512);
        assert_eq!(bytes.as_ptr().addr() % PAGE_SIZE, 0);
        assert!(bytes.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn refused() {
        let buffer = ReadBuffer::new(PAGE_SIZE);
        assert!(buffer.is_ok());
        let Ok(buffer) = buffer else { return };
        let pending = buffer.refuse(EINVAL);
        assert!(pending.is_done());
        assert_eq!(pending.wait().1, Err(EINVAL));
    }

    /// Starts and ends transfers without a device. Returns `None` if something is missing.
    fn try_all() -> Option<()> {
        let queue = WorkQueue::without_rescuer(c"kunit").ok()?;
        // SAFETY: The queue is dropped after the item.
        let item = unsafe { Item::new(NonNull::from(&queue), work) };
        let item = KBox::pin_init(item, GFP_KERNEL).ok()?;
        let mut slot = io::Slot::new();
        // SAFETY: The item is dropped after the slot, which is not used after that.
        let io = unsafe { slot.io(NonNull::from(&*item)) }.ok()?;
        let memory = Arc::new(IoMemory::new(PAGE_SIZE).ok()?, GFP_KERNEL).ok()?;
        let mut writer = Writer::new(memory.clone()).ok()?;

        // One transfer is used again and again. Bits of errors, and what they mean.
        for (error, unsupported, wanted) in [
            (0, 0, Ok(())),
            (1, 0, Err(EIO)),
            (0, 1, Err(EOPNOTSUPP)),
            (1, 1, Err(EIO)),
            (0, 0, Ok(())),
        ] {
            let mut context: *mut c_void = core::ptr::null_mut();
            // SAFETY: `ended` is called below, once.
            let pending = unsafe { io.start(writer, |given| context = given) };
            assert!(!pending.is_done());
            // SAFETY: It has been started.
            unsafe { transfer::ended(error, unsupported, context) };
            assert!(pending.is_done());
            let (back, result) = pending.wait();
            assert_eq!(result, wanted);
            writer = back;
        }
        // One that nobody waits for.
        // SAFETY: It ends at once.
        drop(unsafe { io.start(writer, |context| transfer::ended(0, 0, context)) });
        // Only this one has the memory now.
        assert!(Arc::into_unique_or_drop(memory).is_some());
        drop(slot);
        drop(item);
        // Waits for the work.
        drop(queue);
        Some(())
    }

    #[test]
    fn results() {
        assert!(try_all().is_some());
        // Each end starts the worker, which may run once for several.
        let worked = WORKED.load(Ordering::Relaxed);
        assert!(worked <= 6);
    }
}

#[kunit_tests(dm_limits)]
mod limits_tests {
    use super::*;

    #[test]
    fn units() {
        let cases = [
            (2048, 0, 1 << 20),
            (2047, 0, 1 << 19),
            (1, 0, 512),
            (0, 0, 0),
            (2048, 8, 4096),
            (8, 2048, 4096),
            (2048, 24, 4096),
            (64, 1, 512),
            (u32::MAX, 0, 1 << 31),
            (u32::MAX, 1 << 40, 1 << 31),
        ];
        for (sectors, begin, wanted) in cases {
            assert_eq!(atomic_write_unit(sectors, begin), wanted);
        }
    }

    /// The limits of atomic writes after a cap, of a device that has them from 4 KiB to 64 KiB.
    fn capped(sectors: u32, begin: u64, most: u32) -> [u32; 4] {
        let mut limits = queue_limits {
            atomic_write_hw_max: most,
            atomic_write_hw_unit_min: 4096,
            atomic_write_hw_unit_max: 65536,
            atomic_write_hw_boundary: 1 << 17,
            ..Default::default()
        };
        // SAFETY: Only we have them.
        unsafe { QueueLimits::from_raw(NonNull::from(&mut limits), begin) }
            .cap_atomic_writes(sectors);
        [
            limits.atomic_write_hw_max,
            limits.atomic_write_hw_unit_min,
            limits.atomic_write_hw_unit_max,
            limits.atomic_write_hw_boundary,
        ]
    }

    #[test]
    fn caps() {
        assert_eq!(capped(2048, 0, 98304), [98304, 4096, 65536, 1 << 17]);
        assert_eq!(capped(64, 0, 98304), [32768, 4096, 32768, 1 << 17]);
        assert_eq!(capped(64, 8, 98304), [4096, 4096, 4096, 1 << 17]);
        // Less than the smallest one.
        assert_eq!(capped(4, 0, 98304), [0; 4]);
        assert_eq!(capped(64, 1, 98304), [0; 4]);
        // No device yet.
        assert_eq!(capped(4, 0, u32::MAX)[0], u32::MAX);
    }

    #[test]
    fn stable_writes() {
        let mut limits = queue_limits::default();
        // SAFETY: Only we have them.
        unsafe { QueueLimits::from_raw(NonNull::from(&mut limits), 0) }.require_stable_writes();
        assert_eq!(limits.features, bindings::DM_FEAT_STABLE_WRITES);
    }
}

#[kunit_tests(dm_word)]
mod word_tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let all: [u8; 256] = core::array::from_fn(|index| index as u8);
        let text = CString::try_from_fmt(format_args!("{}", word::Escaped(&all)));
        assert!(text.is_ok());
        let Ok(text) = text else { return };
        assert!(text.to_bytes().iter().all(u8::is_ascii_graphic));
        let mut back = [0u8; 256];
        assert_eq!(word::unescape(text.to_bytes(), &mut back), Ok(&all[..]));
    }

    #[test]
    fn mistakes() {
        let mut room = [0u8; 2];
        for text in ["%", "%4", "%4G", "a%"] {
            assert_eq!(
                word::unescape(text.as_bytes(), &mut room),
                Err(word::UnescapeError::BadEscape)
            );
        }
        assert_eq!(word::unescape(b"%41b", &mut room), Ok(&b"Ab"[..]));
        assert_eq!(
            word::unescape(b"abc", &mut room),
            Err(word::UnescapeError::TooLong)
        );
    }
}
