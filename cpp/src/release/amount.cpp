#include "quantmap/release/amount.hpp"

#include <algorithm>
#include <charconv>

#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

struct AmountUnit {
  std::string_view name;
  double times;
};
// Small letters are decimal, capital ones binary.
constexpr double kGiga = 1073741824.0;
constexpr AmountUnit kAmountUnits[] = {
    {"", 1},          {"k", 1e3},   {"m", 1e6},          {"g", 1e9},    {"t", 1e12},        {"K", 1024},
    {"M", 1048576.0}, {"G", kGiga}, {"T", 1024 * kGiga}, {"KiB", 1024}, {"MiB", 1048576.0}, {"GiB", kGiga},
    {"KB", 1e3},      {"MB", 1e6},  {"GB", 1e9},         {"B", 1}};

}  // namespace

std::optional<double> read_amount(std::string_view text) {
  text = trim(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) number = kMostAmount;
  if ((error != std::errc() && error != std::errc::result_out_of_range) || !(number >= 0)) return std::nullopt;
  const std::string_view rest = trim(text.substr(static_cast<std::size_t>(end - text.data())));
  for (const AmountUnit& unit : kAmountUnits) {
    if (unit.name == rest) return std::min(number * unit.times, kMostAmount);
  }
  return std::nullopt;
}

}  // namespace quantmap
