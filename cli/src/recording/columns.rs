// SPDX-License-Identifier: GPL-2.0

//! The columns of a recording. Each is declared once, in `columns!` below; the schema, what builds them and what reads
//! them follow from that.

use super::row::{
    Delta,
    Kind,
    Match, //
};
use arrow_array::{
    builder::{
        ArrayBuilder,
        PrimitiveBuilder,
        StringBuilder, //
    },
    cast::AsArray,
    types::{
        ArrowPrimitiveType,
        Int32Type,
        Int64Type,
        TimestampNanosecondType,
        UInt8Type, //
    },
    Array,
    ArrayRef,
    DictionaryArray,
    ListArray,
    PrimitiveArray,
    RecordBatch,
    StringArray,
    StructArray, //
};
use arrow_buffer::{
    NullBufferBuilder,
    OffsetBuffer,
    ScalarBuffer, //
};
use arrow_schema::{
    ArrowError,
    DataType,
    Field,
    Fields,
    TimeUnit, //
};
use std::{
    marker::PhantomData,
    sync::Arc, //
};

/// A type of columns.
pub(super) trait Column {
    /// What collects the values.
    type Builder;
    /// What has them.
    type Array: Clone;

    fn data_type() -> DataType;
    fn builder() -> Self::Builder;
    fn finish(builder: &mut Self::Builder, words: &Words) -> Result<ArrayRef, ArrowError>;
    fn array(array: &ArrayRef) -> Option<Self::Array>;
}

/// The words of the dictionaries.
pub(super) struct Words {
    kinds: ArrayRef,
    ops: ArrayRef,
    devices: ArrayRef,
}

impl Words {
    pub(super) fn new<'d>(devices: impl Iterator<Item = &'d str>) -> Self {
        let words = |words: Vec<&str>| Arc::new(StringArray::from(words)) as ArrayRef;
        Self {
            kinds: words(Kind::ALL.iter().map(|kind| kind.name()).collect()),
            ops: words(
                imgrement_core::record::Op::ALL
                    .iter()
                    .map(|op| super::row::op_name(*op))
                    .collect(),
            ),
            devices: words(devices.collect()),
        }
    }
}

macro_rules! columns {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty, $null:literal;)*) => {
        /// What collects the values of a batch.
        pub(super) struct Builders {
            $($(#[doc = $doc])* pub(super) $name: <$type as Column>::Builder,)*
        }

        impl Builders {
            pub(super) fn new() -> Self {
                Self { $($name: <$type>::builder(),)* }
            }

            /// The columns. The builders are empty afterwards.
            pub(super) fn finish(&mut self, words: &Words) -> Result<Vec<ArrayRef>, ArrowError> {
                Ok(vec![$(<$type>::finish(&mut self.$name, words)?,)*])
            }
        }

        /// The columns of a batch.
        pub(super) struct Arrays {
            $($(#[doc = $doc])* pub(super) $name: <$type as Column>::Array,)*
        }

        impl Arrays {
            /// `None` if a column is missing, or has another type.
            pub(super) fn new(batch: &RecordBatch) -> Option<Self> {
                Some(Self {
                    $($name: <$type>::array(batch.column_by_name(stringify!($name))?)?,)*
                })
            }
        }

        /// The columns: name, type, and whether a value may be missing.
        pub(super) fn fields() -> Fields {
            Fields::from(vec![$(Field::new(stringify!($name), <$type>::data_type(), $null),)*])
        }
    };
}

columns! {
    /// What the row is about: a word of `Kind`.
    kind: Word<KindWord>, false;
    /// When it happened; for a request, when it reached the target.
    time: Time, false;
    /// The name of the mapped device.
    device: Word<DeviceWord>, true;
    /// The id of the request.
    id: Number<Int64Type>, true;
    /// What the request does.
    op: Word<OpWord>, true;
    /// Its flags.
    flags: Number<Int32Type>, true;
    /// Its first sector on the underlying device, in units of 512 bytes.
    sector: Number<Int64Type>, true;
    /// Its size.
    bytes: Number<Int64Type>, true;
    /// How it ended: 0, or the error.
    errno: Number<Int32Type>, true;
    /// Nanoseconds from its beginning to its end.
    latency: Number<Int64Type>, true;
    /// The task that sent it.
    command: Text, true;
    /// The CPU that sent it on; for a loss, the CPU whose buffer was full.
    cpu: Number<Int32Type>, true;
    /// The id of the task.
    pid: Number<Int32Type>, true;
    /// The id of the task's control group.
    cgroup: Number<Int64Type>, true;
    /// How many segments of payload it has.
    segments: Number<Int64Type>, true;
    /// Occurrences of patterns: all.
    hits: Number<Int64Type>, true;
    /// Those within a segment.
    page: Number<Int64Type>, true;
    /// Those within a segment of the recorded copy.
    copy: Number<Int64Type>, true;
    /// Those that straddle segments.
    across: Number<Int64Type>, true;
    /// Its segments, if they were asked for.
    deltas: Deltas, true;
    /// The occurrences of patterns in it, if they were asked for.
    matches: Matches, true;
    /// How many events were lost.
    lost: Number<Int64Type>, true;
    /// Why there is an event about a table.
    reason: Text, true;
    /// The text of a mark, or the line of a table.
    text: Text, true;
}

/// A number.
pub(super) struct Number<T>(PhantomData<T>);

impl<T: ArrowPrimitiveType> Column for Number<T> {
    type Builder = PrimitiveBuilder<T>;
    type Array = PrimitiveArray<T>;

    fn data_type() -> DataType {
        T::DATA_TYPE
    }

    fn builder() -> Self::Builder {
        PrimitiveBuilder::new()
    }

    fn finish(builder: &mut Self::Builder, _: &Words) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(builder.finish()))
    }

    fn array(array: &ArrayRef) -> Option<Self::Array> {
        array.as_primitive_opt().cloned()
    }
}

/// A time, in nanoseconds since 1970.
pub(super) struct Time;

impl Column for Time {
    type Builder = PrimitiveBuilder<TimestampNanosecondType>;
    type Array = PrimitiveArray<TimestampNanosecondType>;

    fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
    }

    fn builder() -> Self::Builder {
        PrimitiveBuilder::new().with_data_type(Self::data_type())
    }

    fn finish(builder: &mut Self::Builder, _: &Words) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(builder.finish()))
    }

    fn array(array: &ArrayRef) -> Option<Self::Array> {
        array.as_primitive_opt().cloned()
    }
}

/// A text.
pub(super) struct Text;

impl Column for Text {
    type Builder = StringBuilder;
    type Array = StringArray;

    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn builder() -> Self::Builder {
        StringBuilder::new()
    }

    fn finish(builder: &mut Self::Builder, _: &Words) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(builder.finish()))
    }

    fn array(array: &ArrayRef) -> Option<Self::Array> {
        array.as_string_opt().cloned()
    }
}

/// A word of a dictionary.
pub(super) struct Word<D>(PhantomData<D>);

/// A dictionary.
pub(super) trait Dictionary {
    fn words(words: &Words) -> &ArrayRef;
}

/// The kinds of rows.
pub(super) struct KindWord;
/// The ops.
pub(super) struct OpWord;
/// The devices of the recording.
pub(super) struct DeviceWord;

impl Dictionary for KindWord {
    fn words(words: &Words) -> &ArrayRef {
        &words.kinds
    }
}

impl Dictionary for OpWord {
    fn words(words: &Words) -> &ArrayRef {
        &words.ops
    }
}

impl Dictionary for DeviceWord {
    fn words(words: &Words) -> &ArrayRef {
        &words.devices
    }
}

impl<D: Dictionary> Column for Word<D> {
    type Builder = PrimitiveBuilder<UInt8Type>;
    type Array = DictionaryArray<UInt8Type>;

    fn data_type() -> DataType {
        DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8))
    }

    fn builder() -> Self::Builder {
        PrimitiveBuilder::new()
    }

    fn finish(builder: &mut Self::Builder, words: &Words) -> Result<ArrayRef, ArrowError> {
        let keys = builder.finish();
        let array = DictionaryArray::try_new(keys, Arc::clone(D::words(words)))?;
        Ok(Arc::new(array))
    }

    fn array(array: &ArrayRef) -> Option<Self::Array> {
        array.as_dictionary_opt().cloned()
    }
}

/// Where the lists of a column of lists end.
pub(super) struct Ends {
    ends: Vec<i32>,
    valid: NullBufferBuilder,
}

impl Ends {
    fn new() -> Self {
        Self {
            ends: vec![0],
            valid: NullBufferBuilder::new(0),
        }
    }

    /// A list ends, after this many elements of all lists; or there is none.
    fn push(&mut self, elements: usize, valid: bool) {
        self.ends.push(i32::try_from(elements).unwrap_or(i32::MAX));
        self.valid.append(valid);
    }

    fn finish(&mut self, fields: Fields, columns: Vec<ArrayRef>) -> Result<ArrayRef, ArrowError> {
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let list = ListArray::try_new(
            Arc::new(Field::new_struct("item", fields.clone(), false)),
            OffsetBuffer::new(ScalarBuffer::from(ends)),
            Arc::new(StructArray::try_new(fields, columns, None)?),
            self.valid.finish(),
        )?;
        Ok(Arc::new(list))
    }
}

/// The type of a list of structures.
fn list_of(fields: Fields) -> DataType {
    DataType::List(Arc::new(Field::new_struct("item", fields, false)))
}

/// The fields of a list's structures, and where each list is.
fn list_array(array: &ArrayRef) -> Option<(ListArray, StructArray)> {
    let list: &ListArray = array.as_list_opt()?;
    let items = list.values().as_struct_opt()?.clone();
    Some((list.clone(), items))
}

/// The elements of a list; `None` if there is no list.
fn elements(list: &ListArray, row: usize) -> Option<std::ops::Range<usize>> {
    if row >= list.len() || list.is_null(row) {
        return None;
    }
    let place = |index: usize| {
        let offset = list.value_offsets().get(index).copied().unwrap_or_default();
        usize::try_from(offset).unwrap_or_default()
    };
    Some(place(row)..place(row.saturating_add(1)))
}

/// The segments of requests.
pub(super) struct Deltas;

/// Collects the segments of requests.
pub(super) struct DeltaBuilder {
    ends: Ends,
    length: PrimitiveBuilder<Int64Type>,
    offset: PrimitiveBuilder<Int64Type>,
    sector: PrimitiveBuilder<Int64Type>,
    hits: PrimitiveBuilder<Int64Type>,
}

impl DeltaBuilder {
    /// Adds the segments of a row.
    pub(super) fn append(&mut self, deltas: Option<&[Delta]>) {
        for delta in deltas.unwrap_or_default() {
            self.length.append_value(i64::from(delta.length));
            self.offset.append_value(i64::from(delta.offset));
            self.sector.append_value(signed(delta.sector));
            self.hits.append_value(i64::from(delta.hits));
        }
        self.ends.push(self.length.len(), deltas.is_some());
    }

    /// How many segments it has.
    pub(super) fn len(&self) -> usize {
        self.length.len()
    }
}

/// The segments of the requests of a batch.
#[derive(Clone)]
pub(super) struct DeltaArrays {
    list: ListArray,
    length: PrimitiveArray<Int64Type>,
    offset: PrimitiveArray<Int64Type>,
    sector: PrimitiveArray<Int64Type>,
    hits: PrimitiveArray<Int64Type>,
}

impl DeltaArrays {
    /// The segments of a row; `None` if they are not in the recording.
    pub(super) fn row(&self, row: usize) -> Option<impl Iterator<Item = Delta> + '_> {
        let elements = elements(&self.list, row)?;
        Some(elements.map(|index| Delta {
            length: small(number(&self.length, index)),
            offset: small(number(&self.offset, index)),
            sector: number(&self.sector, index).unwrap_or_default(),
            hits: small(number(&self.hits, index)),
        }))
    }
}

impl Deltas {
    fn fields() -> Fields {
        let number = |name: &str| Field::new(name, DataType::Int64, false);
        Fields::from(vec![
            number("length"),
            number("offset"),
            number("sector"),
            number("hits"),
        ])
    }
}

impl Column for Deltas {
    type Builder = DeltaBuilder;
    type Array = DeltaArrays;

    fn data_type() -> DataType {
        list_of(Self::fields())
    }

    fn builder() -> Self::Builder {
        DeltaBuilder {
            ends: Ends::new(),
            length: PrimitiveBuilder::new(),
            offset: PrimitiveBuilder::new(),
            sector: PrimitiveBuilder::new(),
            hits: PrimitiveBuilder::new(),
        }
    }

    fn finish(builder: &mut Self::Builder, _: &Words) -> Result<ArrayRef, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(builder.length.finish()),
            Arc::new(builder.offset.finish()),
            Arc::new(builder.sector.finish()),
            Arc::new(builder.hits.finish()),
        ];
        builder.ends.finish(Self::fields(), columns)
    }

    fn array(array: &ArrayRef) -> Option<Self::Array> {
        let (list, items) = list_array(array)?;
        let column = |name: &str| items.column_by_name(name)?.as_primitive_opt().cloned();
        Some(DeltaArrays {
            list,
            length: column("length")?,
            offset: column("offset")?,
            sector: column("sector")?,
            hits: column("hits")?,
        })
    }
}

/// The occurrences of patterns in requests.
pub(super) struct Matches;

/// Collects the occurrences of patterns in requests.
pub(super) struct MatchBuilder {
    ends: Ends,
    pattern: StringBuilder,
    place: StringBuilder,
    sector: PrimitiveBuilder<Int64Type>,
    byte: PrimitiveBuilder<Int64Type>,
}

impl MatchBuilder {
    /// Adds the occurrences of a row.
    pub(super) fn append(&mut self, matches: Option<&[Match<'_>]>) {
        for found in matches.unwrap_or_default() {
            self.pattern.append_value(found.pattern);
            self.place.append_value(found.place);
            self.sector.append_value(signed(found.sector));
            self.byte.append_value(i64::from(found.byte));
        }
        self.ends.push(self.sector.len(), matches.is_some());
    }

    /// How many occurrences it has.
    pub(super) fn len(&self) -> usize {
        self.sector.len()
    }
}

/// The occurrences of patterns in the requests of a batch.
#[derive(Clone)]
pub(super) struct MatchArrays {
    list: ListArray,
    pattern: StringArray,
    place: StringArray,
    sector: PrimitiveArray<Int64Type>,
    byte: PrimitiveArray<Int64Type>,
}

impl MatchArrays {
    /// The occurrences of a row; `None` if they are not in the recording.
    pub(super) fn row(&self, row: usize) -> Option<impl Iterator<Item = Match<'_>>> {
        let elements = elements(&self.list, row)?;
        Some(elements.map(|index| Match {
            pattern: text(&self.pattern, index).unwrap_or_default(),
            place: text(&self.place, index).unwrap_or_default(),
            sector: number(&self.sector, index).unwrap_or_default(),
            byte: small(number(&self.byte, index)),
        }))
    }
}

impl Matches {
    fn fields() -> Fields {
        let number = |name: &str| Field::new(name, DataType::Int64, false);
        let text = |name: &str| Field::new(name, DataType::Utf8, false);
        Fields::from(vec![
            text("pattern"),
            text("place"),
            number("sector"),
            number("byte"),
        ])
    }
}

impl Column for Matches {
    type Builder = MatchBuilder;
    type Array = MatchArrays;

    fn data_type() -> DataType {
        list_of(Self::fields())
    }

    fn builder() -> Self::Builder {
        MatchBuilder {
            ends: Ends::new(),
            pattern: StringBuilder::new(),
            place: StringBuilder::new(),
            sector: PrimitiveBuilder::new(),
            byte: PrimitiveBuilder::new(),
        }
    }

    fn finish(builder: &mut Self::Builder, _: &Words) -> Result<ArrayRef, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(builder.pattern.finish()),
            Arc::new(builder.place.finish()),
            Arc::new(builder.sector.finish()),
            Arc::new(builder.byte.finish()),
        ];
        builder.ends.finish(Self::fields(), columns)
    }

    fn array(array: &ArrayRef) -> Option<Self::Array> {
        let (list, items) = list_array(array)?;
        Some(MatchArrays {
            list,
            pattern: items.column_by_name("pattern")?.as_string_opt()?.clone(),
            place: items.column_by_name("place")?.as_string_opt()?.clone(),
            sector: items.column_by_name("sector")?.as_primitive_opt()?.clone(),
            byte: items.column_by_name("byte")?.as_primitive_opt()?.clone(),
        })
    }
}

/// The number for a column: a number that is too large becomes the largest.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of a column; `None` if there is none, or it is negative.
pub(super) fn number<T>(array: &PrimitiveArray<T>, row: usize) -> Option<u64>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64>,
{
    if array.is_null(row) {
        return None;
    }
    let value = array.values().get(row).copied()?;
    u64::try_from(value.into()).ok()
}

/// A number that cannot be this large, or is missing.
pub(super) fn small(number: Option<u64>) -> u32 {
    number.map_or(0, |number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// A text of a column; `None` if there is none.
pub(super) fn text(array: &StringArray, row: usize) -> Option<&str> {
    (row < array.len() && array.is_valid(row)).then(|| array.value(row))
}
