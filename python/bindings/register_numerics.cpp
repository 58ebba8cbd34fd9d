// Recipes, and matrices in memory that go through them.
#include <algorithm>
#include <cstring>

#include "convert.hpp"
#include "function.hpp"
#include "numerics.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/catalog/numeric_tables.hpp"
#include "quantmap/quantize/number.hpp"
#include "quantmap/results/recipes.hpp"
#include "register.hpp"
#include "report.hpp"
#include "results.hpp"

namespace quantmap::bindings {

namespace {

py::list recipe_rows() {
  py::list out;
  for (const Recipe& row : catalog().recipes.rows) out.append(to_result(results::NamedRecipe{row, row_name(row)}));
  return out;
}

py::list recipe_makers() {
  py::list out;
  for (const RecipeMaker& maker : catalog().recipes.makers) {
    py::dict row;
    row["id"] = text(maker.id);
    row["name"] = text(maker.name);
    row["read"] = text(maker.read);
    out.append(row);
  }
  return out;
}

py::list recipe_name_rows(const std::string& version) {
  py::list out;
  for (const RecipeName& name : recipe_names()) {
    if (!holds_in(name, version)) continue;
    py::dict row;
    row["who"] = text(name.who);
    row["at"] = text(name.at);
    row["values"] = texts(name.values);
    row["part"] = text(name.part);
    row["scheme"] = or_none(name.scheme);
    row["outside"] = or_none(name.outside);
    row["instead_of"] = or_none(name.instead_of);
    out.append(row);
  }
  return out;
}

py::object module_names(const std::string& engine, const std::string& architecture) {
  for (const ModelModules& model : model_modules()) {
    const auto& known = model.architectures;
    if (model.engine != engine || std::find(known.begin(), known.end(), architecture) == known.end()) continue;
    py::list rows;
    for (const ModuleName& module : model.modules) {
      rows.append(make_tuple(text(module.name), texts(module.paths), text(module.kind)));
    }
    return make_tuple(text(model.read), text(model.source), rows);
  }
  return none();
}

py::object find(const std::string& name) {
  const ChosenRecipe chosen = recipe_of(name);
  results::NamedRecipe out{*chosen.row, chosen.name()};
  out.assumed = chosen.assumed;
  return to_result(out);
}

// The bytes of a result. Whoever writes them first touches the memory: the threads, without the GIL.
template <class Item>
struct Room {
  explicit Room(std::size_t count)
      : bytes(py::reinterpret_steal<py::object>(
            PyByteArray_FromStringAndSize(nullptr, static_cast<py::ssize_t>(count * sizeof(Item))))) {
    if (!bytes) throw_python_error();
    items = reinterpret_cast<Item*>(PyByteArray_AsString(bytes.ptr()));
  }
  py::object bytes;
  Item* items;
};

py::dict quantize_buffer(const py::object& values, const std::string& type, std::size_t rows, std::size_t columns,
                         const std::string& name, std::size_t threads, std::size_t kernel, const py::object& absmax) {
  const MatrixSource source(values, type, rows, columns);
  const ChosenRecipe chosen = recipe_of(name);
  const Recipe& recipe = *chosen.row;
  const std::size_t grid = tile_rows_of(recipe, rows) * tile_columns_of(recipe, columns);
  const bool bits = recipe.scale_type == ScaleType::kE8m0 || recipe.scale_type == ScaleType::kE4m3;
  const bool zeros = recipe.range == RangeRule::kMinmax;
  const Room<std::uint8_t> codes(rows * columns);
  const Room<float> scale(grid);
  const Room<std::uint8_t> scale_bits(bits ? grid : 0);
  const Room<float> zero(zeros ? grid : 0);
  ProcessIn in{source.shape, source.read, {}, {}, threads, kernel, std::nullopt, {}};
  if (!absmax.is_none()) in.absmax = Parameter<float>::read(absmax.ptr());
  in.write = [&](const BlockOut& block) {
    std::copy_n(block.codes, block.rows * columns, codes.items + block.row * columns);
    const std::size_t at = block.tile_row * block.tile_columns;
    const std::size_t count = block.tile_rows * block.tile_columns;
    std::copy_n(block.scale, count, scale.items + at);
    if (bits) std::copy_n(block.scale_bits, count, scale_bits.items + at);
    if (zeros) std::copy_n(block.zero, count, zero.items + at);
    return true;
  };
  ProcessOut out;
  {
    const py::gil_scoped_release_simple release;
    const Recipe* const list[] = {&recipe};
    out = process(in, list);
  }
  raise_failure(out, "the array");
  py::dict result;
  result["codes"] = codes.bytes;
  result["scale"] = scale.bytes;
  result["scale_bits"] = bits ? scale_bits.bytes : none();
  result["zero"] = zeros ? zero.bytes : none();
  result["global"] = to_object(out.recipes[0].global);
  result["grid"] = make_tuple(out.recipes[0].tile_rows, out.recipes[0].tile_columns);
  result["sums"] = to_python(out.recipes[0].sums);
  return result;
}

// Floats of a buffer; none when there is no buffer.
std::vector<float> floats_of(const py::object& given, std::size_t columns) {
  if (given.is_none()) return {};
  const py::buffer_info info = py::reinterpret_borrow<py::buffer>(given).request();
  const auto* items = static_cast<const float*>(info.ptr);
  const std::size_t count = static_cast<std::size_t>(info.size * info.itemsize) / sizeof(float);
  if (columns == 0 || count % columns != 0) throw py::value_error("the inputs do not fit the columns");
  return {items, items + count};
}

py::list measure_buffer(const py::object& values, const std::string& type, std::size_t rows, std::size_t columns,
                        const py::object& names, std::size_t threads, std::size_t kernel, const py::object& moments,
                        const py::object& tokens) {
  const MatrixSource source(values, type, rows, columns);
  const std::vector<float> squares = floats_of(moments, columns);
  const std::vector<float> inputs = floats_of(tokens, columns);
  if (squares.size() > columns) throw py::value_error("more moments than columns");
  std::vector<const Recipe*> recipes;
  for (const py::handle name : py::list(names)) recipes.push_back(recipe_of(utf8(name)).row);
  ProcessOut out;
  {
    const py::gil_scoped_release_simple release;
    out = process({source.shape, source.read, {}, {}, threads, kernel, std::nullopt, {squares, inputs}}, recipes);
  }
  raise_failure(out, "the array");
  py::list result;
  for (const RecipeOut& item : out.recipes) result.append(to_python(item.sums));
  return result;
}

template <class Item>
std::span<const Item> span_of(const py::buffer_info& info) {
  return {static_cast<const Item*>(info.ptr), static_cast<std::size_t>(info.size * info.itemsize) / sizeof(Item)};
}

py::object dequantize_buffer(const py::buffer& codes, std::size_t columns, const py::buffer& scale,
                             const py::object& zero, float global, const std::string& name) {
  const py::buffer_info code_info = codes.request();
  const py::buffer_info scale_info = scale.request();
  const Recipe& recipe = *recipe_of(name).row;
  const std::span<const std::uint8_t> given = span_of<std::uint8_t>(code_info);
  std::vector<float> zeros;
  if (!zero.is_none()) {
    const py::buffer_info zero_info = py::reinterpret_borrow<py::buffer>(zero).request();
    const std::span<const float> items = span_of<float>(zero_info);
    zeros.assign(items.begin(), items.end());
  }
  const std::size_t rows = columns == 0 ? 0 : given.size() / columns;
  const std::span<const float> scales = span_of<float>(scale_info);
  const std::size_t grid = tile_rows_of(recipe, rows) * tile_columns_of(recipe, columns);
  if (scales.size() < grid || (!zeros.empty() && zeros.size() < grid)) throw py::value_error("too few scales");
  const Room<float> out(given.size());
  {
    const py::gil_scoped_release_simple release;
    dequantize(recipe, given, columns, scales, zeros, global, {out.items, given.size()});
  }
  return out.bytes;
}

// A code or a number as a float.
float level_of(const void* items, const std::string& kind, std::size_t index) {
  const auto* bytes = static_cast<const std::uint8_t*>(items);
  if (kind == "i8" || kind == "i4") return static_cast<float>(static_cast<const std::int8_t*>(items)[index]);
  if (kind == "e4m3") return from_e4m3(bytes[index]);
  if (kind == "e5m2") return from_e5m2(bytes[index]);
  if (kind == "e2m1") return from_e2m1(bytes[index]);
  if (kind == "f32") return static_cast<const float*>(items)[index];
  const std::uint16_t word = static_cast<const std::uint16_t*>(items)[index];
  return kind == "f16" ? from_float16(word) : from_bfloat16(word);
}

// The reference product: sums in 32-bit floats in the order of the features, then the scales.
py::object matmul_buffer(const py::buffer& left, const std::string& left_kind, const py::buffer& left_scale,
                         std::size_t tokens, std::size_t features, const py::buffer& right,
                         const std::string& right_kind, const py::buffer& right_scale, std::size_t outputs,
                         const std::string& type) {
  const py::buffer_info a = left.request();
  const py::buffer_info b = right.request();
  const py::buffer_info a_info = left_scale.request();
  const py::buffer_info b_info = right_scale.request();
  const std::span<const float> a_scale = span_of<float>(a_info);
  const std::span<const float> b_scale = span_of<float>(b_info);
  const Stored rounded = stored_of(type);
  const Room<float> out(tokens * outputs);
  for (std::size_t i = 0; i < tokens; ++i) {
    for (std::size_t j = 0; j < outputs; ++j) {
      float sum = 0;
      for (std::size_t k = 0; k < features; ++k) {
        sum += level_of(a.ptr, left_kind, i * features + k) * level_of(b.ptr, right_kind, j * features + k);
      }
      if (!a_scale.empty()) sum *= a_scale[i];
      sum *= b_scale[b_scale.size() == 1 ? 0 : j];
      out.items[i * outputs + j] = rounded == Stored::kFloat  ? sum
                                   : rounded == Stored::kHalf ? from_float16(to_float16(sum))
                                                              : from_bfloat16(to_bfloat16(sum));
    }
  }
  return out.bytes;
}

float absmax_buffer(const py::object& values, const std::string& type, std::size_t rows, std::size_t columns,
                    std::size_t threads) {
  const MatrixSource source(values, type, rows, columns);
  ProcessOut out;
  float most = 0;
  {
    const py::gil_scoped_release_simple release;
    most = absmax_of({source.shape, source.read, {}, {}, threads, kernel_names().size(), std::nullopt, {}}, out);
  }
  raise_failure(out, "the array");
  return most;
}

// Two codes of four bits in a byte, the first in the low half; `flip` turns the sign bit, as offset codes have it.
py::object pack_codes(const py::buffer& codes, bool flip) {
  const py::buffer_info info = codes.request();
  const std::span<const std::uint8_t> given = span_of<std::uint8_t>(info);
  const Room<std::uint8_t> out(given.size() / 2);
  const std::uint8_t turn = flip ? 0x88 : 0;
  for (std::size_t i = 0; i < given.size() / 2; ++i) {
    const unsigned both = (given[2 * i] & 0xfU) | ((given[2 * i + 1] & 0xfU) << 4U);
    out.items[i] = static_cast<std::uint8_t>(both ^ turn);
  }
  return out.bytes;
}

// Casts of single values, for caches without scales and for the tests: one code for each value.
py::object cast_buffer(const py::buffer& values, const std::string& type, const std::string& to, bool saturate) {
  const py::buffer_info info = values.request();
  const Stored from = stored_of(type);
  const std::size_t count = static_cast<std::size_t>(info.size * info.itemsize) / size_of(from);
  const auto* words = static_cast<const std::uint16_t*>(info.ptr);
  const auto* floats = static_cast<const float*>(info.ptr);
  const Overflow overflow = saturate ? Overflow::kSaturate : Overflow::kNan;
  const bool wide = to == "bf16" || to == "f16";
  const Room<std::uint8_t> out(count * (to == "f32" ? 4 : wide ? 2 : 1));
  for (std::size_t i = 0; i < count; ++i) {
    const float value = from == Stored::kFloat  ? floats[i]
                        : from == Stored::kHalf ? from_float16(words[i])
                                                : from_bfloat16(words[i]);
    if (to == "f32") {
      std::memcpy(out.items + i * 4, &value, 4);
    } else if (wide) {
      const std::uint16_t bits = to == "bf16" ? to_bfloat16(value) : to_float16(value);
      std::memcpy(out.items + i * 2, &bits, 2);
    } else if (to == "e4m3") {
      out.items[i] = to_e4m3(value, overflow);
    } else if (to == "e5m2") {
      out.items[i] = to_e5m2(value, overflow);
    } else if (to == "e2m1") {
      out.items[i] = to_e2m1(value);
    } else {
      throw py::value_error("no such format");
    }
  }
  return out.bytes;
}

py::list kernels() { return texts(kernel_names()); }

constexpr Function kNumericsFunctions[] = {
    function<&recipe_rows>("recipe_rows", "", "Every recipe of the catalogue."),
    function<&recipe_makers>("recipe_makers", "", "Who has recipes, and the release that was read."),
    function<&recipe_name_rows>("recipe_name_rows", "version=''",
                                "Which arguments choose which recipe in a release; in the newest without one."),
    function<&module_names>("module_names", "engine, architecture",
                            "How an engine names the modules of an architecture, or None."),
    function<&find>("find_recipe", "name", "A recipe by its name."),
    function<&quantize_buffer>("quantize_buffer", "values, type, rows, columns, recipe, threads, kernel, absmax=None",
                               "A matrix through a recipe."),
    function<&absmax_buffer>("absmax_buffer", "values, type, rows, columns, threads",
                             "The largest magnitude of a matrix."),
    function<&pack_codes>("pack_codes", "codes, flip", "Two codes of four bits in a byte."),
    function<&measure_buffer>("measure_buffer",
                              "values, type, rows, columns, recipes, threads, kernel, moments=None, tokens=None",
                              "The error sums of recipes on a matrix."),
    function<&dequantize_buffer>("dequantize_buffer", "codes, columns, scale, zero, global_scale, recipe",
                                 "Codes and scales back to numbers."),
    function<&matmul_buffer>(
        "matmul_buffer", "left, left_kind, left_scale, tokens, features, right, right_kind, right_scale, outputs, type",
        "The reference product of a quantized linear layer."),
    function<&cast_buffer>("cast_buffer", "values, type, to, saturate", "Values in another format, one by one."),
    function<&kernels>("kernel_names", "", "The builds of the kernels that this processor can run."),
};

}  // namespace

ChosenRecipe recipe_of(const std::string& name) {
  Diagnostics problems;
  std::optional<ChosenRecipe> out = find_recipe(name, Path("recipe"), problems);
  if (!out) raise_config_error(problems);
  return *out;
}

Stored stored_of(const std::string& name) {
  if (name == "bf16") return Stored::kBfloat16;
  if (name == "f16") return Stored::kHalf;
  if (name == "f32") return Stored::kFloat;
  throw py::value_error("no such stored type");
}

void raise_failure(const ProcessOut& out, const std::string& subject) {
  if (out.failure == Failure::kNone) return;
  Diagnostics problems;
  if (out.failure == Failure::kNotRead) {
    problems.add(Code::kBadMatrix, "weights",
                 {{"value", subject},
                  {"reason", "the file ended before its data, or could not be read"},
                  {"hint", "give a file that nobody writes to"}});
    raise_config_error(problems);
  }
  problems.add(Code::kNonFiniteWeights, "weights", {{"value", subject}, {"count", std::to_string(out.row)}});
  raise_config_error(problems);
}

py::dict to_python(const ErrorSums& sums) {
  py::dict out;
  out["elements"] = to_object(sums.elements);
  out["signal"] = to_object(sums.signal);
  out["noise"] = to_object(sums.noise);
  out["dot"] = to_object(sums.dot);
  out["created"] = to_object(sums.created);
  out["clipped"] = to_object(sums.clipped);
  out["rows"] = to_object(sums.rows);
  out["dead_rows"] = to_object(sums.dead_rows);
  out["lost_rows"] = to_object(sums.lost_rows);
  out["small_rows"] = to_object(sums.small_rows);
  out["worst_row_error"] = to_object(sums.worst_row_error);
  out["worst_row"] = to_object(sums.worst_row);
  out["peak"] = to_object(sums.peak);
  out["output_signal"] = to_object(sums.output_signal);
  out["output_noise"] = to_object(sums.output_noise);
  return out;
}

void register_numerics(py::handle module) { add_functions(module, kNumericsFunctions); }

}  // namespace quantmap::bindings
