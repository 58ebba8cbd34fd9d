#include "quantmap/quantize/process.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>

#include "quantize/block.hpp"
#include "quantmap/quantize/number.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kBlockBytes = 1U << 18U;  // of values: stays in the cache between two recipes
constexpr std::size_t kRoomBytes = 40U << 20U;  // of all threads together: wide blocks take fewer threads
constexpr std::size_t kWave = 1U << 12U;        // blocks whose results are kept until they are added up in order

// What a thread keeps from block to block.
struct Scratch {
  std::vector<unsigned char> values;
  BlockRoom room;
};

// MatrixRows from the first to the end.
struct MatrixRows {
  std::size_t first = 0;
  std::size_t end = 0;
};

// The number of the blocks, handed out to whoever comes; the first failure by place is what is told.
class Work {
 public:
  Work(MatrixRows rows, std::size_t step)
      : rows_(rows), step_(step), results_((rows.end - rows.first + step - 1) / step) {}

  template <class Job>
  void run(std::size_t threads, const Job& job) {
    const std::size_t count = results_.size();
    end_ = count;
    const auto loop = [&] {
      Scratch scratch;
      for (std::size_t index = next_++; index < end_; index = next_++) {
        const std::size_t first = rows_.first + index * step_;
        job(index, first, std::min(step_, rows_.end - first), scratch);
      }
    };
    std::vector<std::thread> helpers;
    const std::size_t most = std::min({threads, count, std::size_t{256}});
    helpers.reserve(most);
    try {
      while (helpers.size() + 1 < most) helpers.emplace_back(loop);
    } catch (const std::system_error&) {
      // The system has no thread left to give: those that there are do the work.
    }
    loop();
    for (std::thread& helper : helpers) helper.join();
  }

  void fail(Failure failure, std::size_t row) {
    const std::lock_guard lock(mutex_);
    if (failure_ == Failure::kNone || row < row_) {
      failure_ = failure;
      row_ = row;
      end_ = (row - rows_.first) / step_;  // blocks before it are still looked at, so that the first failure is told
    }
  }

  std::vector<ErrorSums>& result(std::size_t index) { return results_[index]; }
  [[nodiscard]] std::size_t count() const { return results_.size(); }
  [[nodiscard]] Failure failure() const { return failure_; }
  [[nodiscard]] std::size_t row() const { return row_; }

 private:
  MatrixRows rows_;
  std::size_t step_;
  std::vector<std::vector<ErrorSums>> results_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> end_ = 0;
  std::mutex mutex_;
  Failure failure_ = Failure::kNone;
  std::size_t row_ = 0;
};

// MatrixRows of a block: a multiple of every tile's rows.
std::size_t block_rows(const Matrix& shape, std::span<const Recipe* const> recipes) {
  std::size_t unit = 1;
  for (const Recipe* recipe : recipes) unit = std::lcm(unit, std::max<std::size_t>(recipe->rows, 1));
  const std::size_t row = std::max<std::size_t>(shape.columns * size_of(shape.type), 1);
  return std::max<std::size_t>(kBlockBytes / row / unit, 1) * unit;
}

// As many threads as there is room for their blocks.
std::size_t threads_for(const ProcessIn& in, std::size_t step) {
  const std::size_t block = std::max<std::size_t>(step * in.shape.columns * (size_of(in.shape.type) + 2), 1);
  return std::max<std::size_t>(std::min(in.threads, kRoomBytes / block), 1);
}

// The rows of a matrix, so many blocks at a time, until one part of the work fails.
template <class Part>
void in_waves(std::size_t rows, std::size_t step, ProcessOut& out, const Part& part) {
  for (std::size_t first = 0; first < rows && out.failure == Failure::kNone; first += kWave * step) {
    Work work({first, first + std::min(kWave * step, rows - first)}, step);
    part(work);
    out.failure = work.failure();
    out.row = work.row();
  }
}

// The largest magnitude of the whole matrix.
float whole_absmax(const ProcessIn& in, const Kernels& build, std::size_t step, ProcessOut& out) {
  std::atomic<std::uint32_t> most = 0;  // the bits of a float that is not negative are in its order
  in_waves(in.shape.rows, step, out, [&](Work& work) {
    work.run(threads_for(in, step), [&](std::size_t, std::size_t first, std::size_t rows, Scratch& scratch) {
      const void* values = in.read(first, rows, scratch.values);
      if (values == nullptr) return work.fail(Failure::kNotRead, first);
      const std::size_t row = in.shape.columns * size_of(in.shape.type);
      float block = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        float kept = 0;
        const void* begin = static_cast<const unsigned char*>(values) + i * row;
        const std::size_t tile = std::max<std::size_t>(in.shape.columns, 1);
        const float value = build.absmax(begin, in.shape.type, in.shape.columns, tile, &kept);
        if (!std::isfinite(value)) return work.fail(Failure::kNotFinite, first + i);
        block = std::max(block, value);
      }
      const auto bits = std::bit_cast<std::uint32_t>(block);
      for (std::uint32_t seen = most; seen < bits && !most.compare_exchange_weak(seen, bits);) {
      }
    });
  });
  return std::bit_cast<float>(most.load());
}

struct Block {
  std::size_t first = 0;
  std::size_t rows = 0;
};

BlockOut out_of(const Prepared& how, std::size_t recipe, Block at, const BlockRoom& room) {
  BlockOut out;
  out.recipe = recipe;
  out.row = at.first;
  out.rows = at.rows;
  const bool all = how.recipe->rows == 0;  // every row has the one scale
  out.tile_row = all ? 0 : at.first / how.tile_rows;
  out.tile_rows = all ? (at.first == 0 ? 1 : 0) : (at.rows + how.tile_rows - 1) / how.tile_rows;
  out.tile_columns = how.grid_columns;
  out.codes = room.codes.data();
  out.scale = room.scale.data();
  out.scale_bits = room.bits.data();
  out.zero = room.zero.data();
  return out;
}

// One block through every recipe.
void run_block(const ProcessIn& in, std::span<const Prepared> prepared, Block at, Scratch& scratch, Work& work,
               std::vector<ErrorSums>& sums) {
  const void* values = in.read(at.first, at.rows, scratch.values);
  if (values == nullptr) return work.fail(Failure::kNotRead, at.first);
  sums.resize(prepared.size());
  for (std::size_t i = 0; i < prepared.size(); ++i) {
    std::size_t bad = 0;
    scratch.room.keep_codes = static_cast<bool>(in.write);
    if (!quantize_block(prepared[i], values, at.first, at.rows, scratch.room, sums[i], bad)) {
      return work.fail(Failure::kNotFinite, bad);
    }
    if (in.write && !in.write(out_of(prepared[i], i, at, scratch.room))) {
      return work.fail(Failure::kNotWritten, at.first);
    }
  }
  const std::size_t bytes = at.rows * in.shape.columns * size_of(in.shape.type);
  if (in.progress && !in.progress(bytes)) work.fail(Failure::kStopped, at.first);
}

}  // namespace

std::size_t tile_rows_of(const Recipe& recipe, std::size_t rows) noexcept {
  return recipe.rows == 0 ? std::min<std::size_t>(rows, 1) : (rows + recipe.rows - 1) / recipe.rows;
}

std::size_t tile_columns_of(const Recipe& recipe, std::size_t columns) noexcept {
  if (recipe.columns == 0) return std::min<std::size_t>(columns, 1);
  return (columns + recipe.columns - 1) / recipe.columns;
}

float absmax_of(const ProcessIn& in, ProcessOut& out) {
  return whole_absmax(in, kernels(in.kernel), block_rows(in.shape, {}), out);
}

std::vector<std::string_view> kernel_names() {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < kernel_count(); ++i) out.push_back(kernels(i).name);
  return out;
}

ProcessOut process(const ProcessIn& in, std::span<const Recipe* const> recipes) {
  ProcessOut out;
  const Kernels& build = kernels(in.kernel);
  const std::size_t step = block_rows(in.shape, recipes);
  const bool whole = std::any_of(recipes.begin(), recipes.end(), [](const Recipe* r) { return needs_whole(*r); });
  const float absmax = in.absmax ? *in.absmax : whole ? whole_absmax(in, build, step, out) : 0;
  if (out.failure != Failure::kNone) return out;
  std::vector<Prepared> prepared;
  prepared.reserve(recipes.size());
  for (const Recipe* recipe : recipes) {
    prepared.push_back(prepare(*recipe, build, in.shape, absmax));
    prepared.back().inputs = in.inputs;
    RecipeOut& result = out.recipes.emplace_back();
    result.global = prepared.back().global;
    result.tile_rows = tile_rows_of(*recipe, in.shape.rows);
    result.tile_columns = tile_columns_of(*recipe, in.shape.columns);
  }
  in_waves(in.shape.rows, step, out, [&](Work& work) {
    work.run(threads_for(in, step), [&](std::size_t index, std::size_t first, std::size_t rows, Scratch& scratch) {
      run_block(in, prepared, {first, rows}, scratch, work, work.result(index));
    });
    for (std::size_t index = 0; index < work.count() && work.failure() == Failure::kNone; ++index) {
      for (std::size_t i = 0; i < prepared.size(); ++i) add(out.recipes[i].sums, work.result(index)[i]);
    }
  });
  return out;
}

void dequantize(const Recipe& recipe, std::span<const std::uint8_t> codes, std::size_t columns,
                std::span<const float> scale, std::span<const float> zero, float global, std::span<float> out) {
  const std::size_t rows = columns == 0 ? 0 : codes.size() / columns;
  const std::size_t grid = tile_columns_of(recipe, columns);
  const std::size_t tall = recipe.rows == 0 ? std::max<std::size_t>(rows, 1) : recipe.rows;
  const std::size_t wide = recipe.columns == 0 ? std::max<std::size_t>(columns, 1) : recipe.columns;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t tile = row / tall * grid + column / wide;
      const std::uint8_t code = codes[row * columns + column];
      float back = scale[tile];
      if (recipe.scale == ScaleRule::kTwoLevel) back = back * (1.0F / global);
      if (recipe.scale == ScaleRule::kTwoLevelDivide) back = back / global;
      float level = level_of(recipe.element, code);
      if (!zero.empty()) level -= zero[tile];
      out[row * columns + column] = level * back;
    }
  }
}

}  // namespace quantmap
