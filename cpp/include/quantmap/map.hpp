// The evaluator of the catalogue's rows: config × engine × situation → arguments and a decision for each field.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "quantmap/check.hpp"
#include "quantmap/config.hpp"
#include "quantmap/diagnostic.hpp"

namespace quantmap {

// How the model's own quantization was given.
struct ModelQuantization {
  bool quantized = false;
  std::string method;                    // lower case; empty when not quantized
  bool given = false;                    // whether anything was said about it at all
  bool dense = false;                    // known to have no experts
  ModelKind kind = ModelKind::kUnknown;  // its attention, when its files were read
};

// bool: a bare switch; integer: a size that keeps its type in map_to_*; text: everything else.
using ArgumentValue = std::variant<bool, std::int64_t, std::string>;

struct Argument {
  std::string flag;
  ArgumentValue value;
  FieldId from = kNoField;  // kNoField: a user parameter
  RouteKind kind = RouteKind::kFlag;
  std::string_view instead{};  // not empty: no release accepts it; what the engine takes
  std::string_view at{};       // place inside a JSON value or a file
  std::string_view through{};  // the flag that names the file
  bool is_null = false;
};

struct Decision {
  FieldId field;
  bool asked = false;                                          // given in the config, not a default
  std::string value;                                           // as spelt
  std::vector<std::pair<std::string, ArgumentValue>> emitted;  // flag, variable or place in a file, and value
  Outcome outcome = Outcome::kApplied;
  Diagnostic why;
  std::vector<std::string> evidence;
};

// A file that the launch needs: a relative name and its text.
struct LaunchFile {
  std::string name;
  std::string text;
  std::string through{};  // the flag that names it
};

struct Mapping {
  const Engine* engine = nullptr;
  Situation situation;
  Config config;
  std::vector<Argument> arguments;  // flags and variables, in order
  std::vector<LaunchFile> files;
  std::vector<Decision> decisions;
  Diagnostics diagnostics;  // in the order in which they are logged
  TargetValues values;      // of the mode's targets, before user parameters
};

// Reads a model_quantization argument; what cannot be read counts as not quantized, with a warning.
[[nodiscard]] ModelQuantization read_model_quantization(const Value& value, Diagnostics& warnings);

// Whether a mapping says why: without words its decisions carry field and outcome only, and nothing is warned of. That
// is several times cheaper, for who only wants the launch.
enum class Wording : std::uint8_t { kFull, kNone };

// Documented mode: exactly what the specification documents. Checked mode: what the release accepts.
[[nodiscard]] Mapping map_config(const Config& config, const Engine& engine, const ModelQuantization& model,
                                 Situation situation = {}, Wording wording = Wording::kFull);

// Adds the one warning about arguments that no release accepts. Called last, after user parameters.
void report_never_accepted(Mapping& mapping);

// What makes the config unfit for the engine in the documented sense; empty when it is fit.
[[nodiscard]] std::vector<std::string> unsupported_by(const Config& config, const Engine& engine);

[[nodiscard]] std::string to_text(const ArgumentValue& value);

}  // namespace quantmap
