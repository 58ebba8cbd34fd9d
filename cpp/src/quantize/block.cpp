#include "quantize/block.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantmap/quantize/number.hpp"

namespace quantmap {

namespace {

const void* row_at(const void* values, Stored type, std::size_t index) {
  return static_cast<const unsigned char*>(values) + index * size_of(type);
}

// The least and the largest value of a tile of one row, zero among them.
TileRange range_of(const void* row, Stored type, std::size_t begin, std::size_t end) {
  TileRange out;
  for (std::size_t i = begin; i < end; ++i) {
    const float value = value_at(row, type, i);
    out.least = std::min(out.least, value);
    out.most = std::max(out.most, value);
  }
  out.absmax = std::max(-out.least, out.most);
  return out;
}

// The rows that share tiles: their ranges, then their scales. False when one is not finite.
class TileRow {
 public:
  TileRow(const Prepared& how, const void* values, std::size_t rows, BlockRoom& room)
      : how_(how), values_(values), rows_(rows), room_(room) {}

  bool ranges(std::size_t& bad_row) {
    row_absmax_ = 0;
    const std::size_t count = how_.grid_columns;
    for (std::size_t row = 0; row < rows_; ++row) {
      float* out = room_.absmax.data() + (row == 0 ? 0 : count);
      const float most = how_.kernels->absmax(row_of(row), how_.type, how_.columns, how_.tile_columns, out);
      if (!std::isfinite(most)) {
        bad_row = row;
        return false;
      }
      row_absmax_ = std::max(row_absmax_, most);
      for (std::size_t i = 0; row > 0 && i < count; ++i) room_.absmax[i] = std::max(room_.absmax[i], out[i]);
    }
    return true;
  }

  void scales(std::size_t offset) {
    if (how_.steps) {
      const TileScales out{room_.scale.data() + offset, room_.bits.data() + offset, room_.back.data(),
                           room_.factor.data()};
      return how_.kernels->scales(*how_.steps, room_.absmax.data(), how_.grid_columns, out);
    }
    const bool asymmetric = how_.recipe->range == RangeRule::kMinmax;
    for (std::size_t i = 0; i < how_.grid_columns; ++i) {
      TileRange range;
      range.absmax = how_.recipe->rows == 0 ? how_.absmax : room_.absmax[i];
      if (asymmetric) {
        const std::size_t begin = i * how_.tile_columns;
        range = range_of(values_, how_.type, begin, std::min(begin + how_.tile_columns, how_.columns));
      }
      const TileScale scale = tile_scale(*how_.recipe, how_.type, range, how_.global);
      room_.factor[i] = scale.factor;
      room_.back[i] = scale.back;
      room_.scale[offset + i] = scale.stored;
      room_.bits[offset + i] = scale.bits;
      room_.zero[offset + i] = scale.zero;
    }
  }

  [[nodiscard]] const void* row_of(std::size_t row) const { return row_at(values_, how_.type, row * how_.columns); }
  [[nodiscard]] float largest() const { return row_absmax_; }

 private:
  const Prepared& how_;
  const void* values_;
  std::size_t rows_;
  BlockRoom& room_;
  float row_absmax_ = 0;
};

void add_row(ErrorSums& sums, const RowSums& row, float absmax, std::size_t columns, std::size_t index) {
  ++sums.rows;
  sums.elements += columns;
  sums.signal += row.signal;
  sums.noise += row.noise;
  sums.dot += row.dot;
  sums.created += row.created;
  sums.clipped += row.clipped;
  if (absmax == 0) {
    ++sums.dead_rows;
    return;
  }
  if (absmax < std::numeric_limits<float>::min()) ++sums.small_rows;
  if (row.signal <= 0) return;
  const double error = row.noise / row.signal;
  if (error > sums.worst_row_error) {
    sums.worst_row_error = error;
    sums.worst_row = index;
  }
  sums.peak = std::max(sums.peak, static_cast<double>(absmax) / std::sqrt(row.signal / static_cast<double>(columns)));
}

}  // namespace

float value_at(const void* values, Stored type, std::size_t index) {
  switch (type) {
    case Stored::kBfloat16: return from_bfloat16(static_cast<const std::uint16_t*>(values)[index]);
    case Stored::kHalf: return from_float16(static_cast<const std::uint16_t*>(values)[index]);
    case Stored::kFloat: break;
  }
  return static_cast<const float*>(values)[index];
}

float level_of(Element element, std::uint8_t code) {
  switch (element) {
    case Element::kInt8:
    case Element::kInt4: return static_cast<float>(static_cast<std::int8_t>(code));
    case Element::kE4m3: return from_e4m3(code);
    case Element::kE5m2: return from_e5m2(code);
    case Element::kE2m1: return from_e2m1(code);
  }
  return 0;
}

bool needs_whole(const Recipe& recipe) noexcept {
  const bool two = recipe.scale == ScaleRule::kTwoLevel || recipe.scale == ScaleRule::kTwoLevelDivide;
  return two || (recipe.rows == 0 && recipe.range != RangeRule::kNone);
}

Prepared prepare(const Recipe& recipe, const Kernels& kernels, const Matrix& shape, float absmax) {
  Prepared out;
  out.recipe = &recipe;
  out.kernels = &kernels;
  out.encoding = encoding_of(recipe, shape.type);
  out.type = shape.type;
  out.rows = shape.rows;
  out.columns = shape.columns;
  out.tile_rows = recipe.rows == 0 ? 1 : recipe.rows;  // rows of one matrix-wide tile have equal scales
  out.tile_columns = recipe.columns == 0 ? std::max<std::size_t>(shape.columns, 1) : recipe.columns;
  out.grid_columns = (shape.columns + out.tile_columns - 1) / out.tile_columns;
  out.absmax = absmax;
  out.global = global_scale(recipe, shape.type, absmax);
  out.steps = short_way(recipe, shape.type, out.global);
  return out;
}

bool quantize_block(const Prepared& how, const void* values, std::size_t first, std::size_t rows, BlockRoom& room,
                    ErrorSums& sums, std::size_t& bad_row) {
  const std::size_t tiles = (rows + how.tile_rows - 1) / how.tile_rows;
  room.codes.resize((room.keep_codes ? rows : 1) * how.columns);
  room.absmax.resize(how.grid_columns * 2 + kLanes);
  room.factor.resize(how.grid_columns + kLanes);
  room.back.resize(how.grid_columns + kLanes);
  for (auto* list : {&room.scale, &room.zero}) list->resize(tiles * how.grid_columns + kLanes);
  room.bits.resize(tiles * how.grid_columns + kLanes);
  for (std::size_t row = 0; row < rows; row += how.tile_rows) {
    const std::size_t count = std::min(how.tile_rows, rows - row);
    const std::size_t offset = row / how.tile_rows * how.grid_columns;
    TileRow tile(how, row_at(values, how.type, row * how.columns), count, room);
    if (!tile.ranges(bad_row)) {
      bad_row += first + row;
      return false;
    }
    tile.scales(offset);
    Encoding encoding = how.encoding;
    encoding.flush = how.recipe->flush && near_subnormal(tile.largest());
    for (std::size_t i = 0; i < count; ++i) {
      RowSpan span;
      span.values = tile.row_of(i);
      span.type = how.type;
      span.count = how.columns;
      span.tile = how.tile_columns;
      span.factor = room.factor.data();
      span.scale = room.back.data();
      span.zero = how.recipe->range == RangeRule::kMinmax ? room.zero.data() + offset : nullptr;
      span.codes = room.codes.data() + (room.keep_codes ? (row + i) * how.columns : 0);
      span.largest = tile.largest();
      RowSums out;
      how.kernels->encode(encoding, span, out);
      float absmax = tile.largest();
      if (count > 1)
        how.kernels->absmax(span.values, how.type, how.columns, std::max<std::size_t>(how.columns, 1), &absmax);
      if (!squares_fit(absmax)) sum_exactly(how.recipe->element, span, room.errors, out);
      add_row(sums, out, absmax, how.columns, first + row + i);
      if (how.inputs.known()) add_output(how.inputs, how.recipe->element, span, room.errors, sums);
      if (out.created > 0 && out.dot == 0) ++sums.lost_rows;  // nothing of it is left
    }
  }
  return true;
}

void add(ErrorSums& to, const ErrorSums& from) {
  to.elements += from.elements;
  to.signal += from.signal;
  to.noise += from.noise;
  to.dot += from.dot;
  to.created += from.created;
  to.clipped += from.clipped;
  to.rows += from.rows;
  to.dead_rows += from.dead_rows;
  to.lost_rows += from.lost_rows;
  to.small_rows += from.small_rows;
  if (from.worst_row_error > to.worst_row_error) {
    to.worst_row_error = from.worst_row_error;
    to.worst_row = from.worst_row;
  }
  to.peak = std::max(to.peak, from.peak);
  to.output_signal += from.output_signal;
  to.output_noise += from.output_noise;
}

}  // namespace quantmap
