// Arbitrary bits as a matrix of any small shape, through any recipe: every build and number of threads says the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "quantmap/catalog/catalog.hpp"
#include "quantmap/quantize/process.hpp"

using namespace quantmap;

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "invariant broken: %s\n", what);
  std::abort();
}

struct Case {
  const Recipe* recipe = nullptr;
  Matrix shape;
  std::vector<unsigned char> values;
  std::vector<float> moments;
};

// The first bytes choose recipe, type and shape; the others are the numbers, over and over.
Case case_of(const std::uint8_t* data, std::size_t size) {
  Case out;
  const auto& rows = catalog().recipes.rows;
  out.recipe = &rows[data[0] % rows.size()];
  out.shape.type = static_cast<Stored>(data[1] % 3);
  out.shape.rows = data[2] % 140;
  out.shape.columns = static_cast<std::size_t>(data[3]) * (1 + data[4] % 3);
  out.values.resize(out.shape.rows * out.shape.columns * size_of(out.shape.type));
  for (std::size_t i = 0; i < out.values.size() && size > 5; ++i) out.values[i] = data[5 + i % (size - 5)];
  if (data[4] % 2 == 1) out.moments.assign(out.shape.columns, 0.5F);
  return out;
}

struct Result {
  ProcessOut out;
  std::vector<std::uint8_t> codes;
  std::vector<float> scale;
};

Result run(const Case& given, std::size_t threads, std::size_t kernel) {
  Result result;
  const std::size_t columns = given.shape.columns;
  const std::size_t grid = tile_columns_of(*given.recipe, columns);
  result.codes.resize(given.shape.rows * columns);
  result.scale.resize(tile_rows_of(*given.recipe, given.shape.rows) * grid);
  ProcessIn in;
  in.shape = given.shape;
  in.threads = threads;
  in.kernel = kernel;
  in.inputs.moments = given.moments;
  in.read = [&](std::size_t first, std::size_t, std::vector<unsigned char>&) -> const void* {
    return given.values.data() + first * columns * size_of(given.shape.type);
  };
  in.write = [&](const BlockOut& block) {
    require(block.row + block.rows <= given.shape.rows, "a block is inside");
    std::memcpy(result.codes.data() + block.row * columns, block.codes, block.rows * columns);
    require((block.tile_row + block.tile_rows) * grid <= result.scale.size(), "its scales too");
    std::memcpy(result.scale.data() + block.tile_row * grid, block.scale, block.tile_rows * grid * sizeof(float));
    return true;
  };
  const Recipe* const list[] = {given.recipe};
  result.out = process(in, list);
  return result;
}

bool same(const ErrorSums& a, const ErrorSums& b) {
  return a.noise == b.noise && a.signal == b.signal && a.dot == b.dot && a.created == b.created &&
         a.clipped == b.clipped && a.output_noise == b.output_noise && a.lost_rows == b.lost_rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  const Case given = case_of(data, size);
  if (given.values.empty()) return 0;
  const Result first = run(given, 1, 0);
  const Failure failure = first.out.failure;
  require(failure == Failure::kNone || failure == Failure::kNotFinite, "it is done, or a number is not finite");
  for (std::size_t kernel = 0; kernel < kernel_names().size(); ++kernel) {
    const Result other = run(given, 1 + kernel * 2, kernel);
    require(other.out.failure == failure && other.out.row == first.out.row, "builds fail alike");
    if (failure != Failure::kNone) continue;
    require(other.codes == first.codes, "builds give the same codes");
    require(std::memcmp(other.scale.data(), first.scale.data(), first.scale.size() * sizeof(float)) == 0, "scales");
    const ErrorSums& sums = first.out.recipes[0].sums;
    const bool finite = sums.noise - sums.noise == 0;  // squares of large numbers have none
    require(!finite || same(other.out.recipes[0].sums, sums), "builds give the same sums");
    require(sums.elements == first.codes.size() && sums.rows == given.shape.rows, "every number is counted");
  }
  return 0;
}
