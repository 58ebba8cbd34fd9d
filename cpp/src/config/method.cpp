#include "quantmap/config/method.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>

#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

// Finds the first method along the chain that the engine has a row for; every name is tried at most once.
class MethodSearch {
 public:
  MethodSearch(const Config& config, const RowSet& rows) : rows_(rows), field_(field_info(FieldId::kMethod)) {
    const Setting& marlin = config[FieldId::kEnableMarlin];
    marlin_ = marlin.present && marlin.number != 0;
  }

  bool visit(int option) {
    if (option < 0 || ((tried_ >> static_cast<unsigned>(option)) & 1U) != 0) return false;
    tried_ |= std::uint64_t{1} << static_cast<unsigned>(option);
    choice_.chain.push_back(name(option));
    if (marlin_) {
      for (std::size_t i = 0; i < field_.options.size(); ++i) {
        if (field_.options[i].plain == option && has(static_cast<int>(i))) return take(static_cast<int>(i));
      }
    }
    if (has(option)) return take(option);
    return visit(field_.options[static_cast<std::size_t>(option)].plain);
  }

  MethodChoice end(int none) {
    if (!taken_) {
      choice_.chain.push_back(name(none));
      choice_.option = none;
    }
    return choice_;
  }

 private:
  std::string_view name(int option) const { return field_.options[static_cast<std::size_t>(option)].id; }
  bool has(int option) const {
    if (rows_.ranges.empty()) return false;
    const RowRange range = rows_.ranges[index_of(FieldId::kMethod)];
    const auto rows = rows_.rows.part(range.begin, static_cast<std::size_t>(range.end - range.begin));
    return std::any_of(rows.begin(), rows.end(), [option](const MappingRule& row) {
      return ((row.options >> static_cast<unsigned>(option)) & 1U) != 0;
    });
  }
  bool take(int option) {
    choice_.option = option;
    taken_ = true;
    return true;
  }

  const RowSet& rows_;
  const Field& field_;
  bool marlin_ = false;
  bool taken_ = false;
  std::uint64_t tried_ = 0;
  MethodChoice choice_{};
};

}  // namespace

std::string dotted_key(const Field& field) {
  return field.section.empty() ? std::string(field.key) : std::string(field.section) + "." + std::string(field.key);
}

MethodChoice choose_method(const Config& config, const RowSet& rows) {
  const int none = field_info(FieldId::kMethod).default_option;
  MethodSearch search(config, rows);
  for (const FieldId field : {FieldId::kMethod, FieldId::kFallbackMethod, FieldId::kBaseQuantization}) {
    const Setting setting = effective(config, field);
    if (setting.present && search.visit(static_cast<int>(setting.number))) break;
  }
  return search.end(none);
}

Config drop_unfit(const Config& config, Diagnostics& warnings) {
  Config out = config;
  const Setting method = effective(config, FieldId::kMethod);
  for (const Field& field : catalog().fields) {
    const Setting& setting = config[field.field];
    if (!setting.present || field.fits.empty()) continue;
    const bool fits = std::any_of(field.fits.begin(), field.fits.end(), [&](const Fit& fit) {
      return ((fit.methods >> static_cast<unsigned>(method.number)) & 1U) != 0 &&
             is_one_of(field, setting, fit.options);
    });
    if (fits) continue;
    warnings.add(field.unfit_code, "$." + dotted_key(field),
                 {{"key", dotted_key(field)},
                  {"value", spelled(field.field, setting)},
                  {"method", spelled(FieldId::kMethod, method)}});
    if (field.unfit_drops) out[field.field] = {};
  }
  for (const Field& field : catalog().fields) {
    const Completion& completion = field.completion;
    if (!completion.exists || !config[completion.by].present) continue;
    const Setting& setting = config[field.field];
    const bool completed = setting.present && std::find(completion.with.begin(), completion.with.end(),
                                                        setting.number) != completion.with.end();
    if (completed) continue;
    const Field& by = field_info(completion.by);
    warnings.add(Code::kFp8FormatIgnored, "$." + dotted_key(by), {{"value", spelled(by.field, config[by.field])}});
  }
  return out;
}

}  // namespace quantmap
