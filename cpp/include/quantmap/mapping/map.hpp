// The evaluator of the catalogue's rows: config × engine × deployment → arguments and a decision for each field.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/config/config.hpp"
#include "quantmap/deployment/constraints.hpp"
#include "quantmap/deployment/model_quantization.hpp"
#include "quantmap/deployment/not_looked_at.hpp"
#include "quantmap/release/argument.hpp"

namespace quantmap {

// What a setting became in the launch.
struct Emitted {
  std::string name;  // of the flag, the variable or the file
  ChannelKind kind = ChannelKind::kFlag;
  std::string_view at{};  // place inside a JSON value or a file; empty: it is the whole value
  ArgumentValue value;

  // With the place as a fragment: "llm.yaml#/kv_cache_config/dtype".
  [[nodiscard]] std::string place() const { return at.empty() ? name : name + "#" + std::string(at); }
  bool operator==(const Emitted&) const = default;
};

struct Decision {
  FieldId field;
  bool asked = false;  // given in the config, not a default
  std::string value;   // as spelt
  std::vector<Emitted> emitted;
  Outcome outcome = Outcome::kApplied;
  Diagnostic why;
  std::vector<std::string> evidence;
  bool assumed = false;  // what it gives way to was read in a source, and not seen to happen
};

struct Mapping {
  const Engine* engine = nullptr;
  Deployment deployment;
  Config config;
  std::vector<Argument> arguments;  // flags and variables, in order
  std::vector<LaunchFile> files;
  std::vector<Decision> decisions;
  Diagnostics diagnostics;  // in the order in which they are logged
  TargetValues values;      // of the mode's targets, before user parameters
  std::vector<NotLookedAt> not_looked_at;
};

// Whether a mapping says why: without words its decisions carry field and outcome only, and nothing is warned of. That
// is several times cheaper, for who only wants the launch.
enum class Wording : std::uint8_t { kFull, kNone };

// Documented mode: exactly what the specification documents. Checked mode: what the release accepts.
// `beside`: what parameters set, by target, where the model alone is refused; null: that is not asked.
[[nodiscard]] Mapping map_config(const Config& config, const Engine& engine, const ModelQuantization& model,
                                 Deployment deployment = {}, Wording wording = Wording::kFull,
                                 const TargetValues* beside = nullptr);

// Adds the one warning about arguments that no release accepts. Called last, after user parameters.
void report_never_accepted(Mapping& mapping);

// What makes the config unfit for the engine in the documented sense; empty when it is fit.
[[nodiscard]] std::vector<std::string> unsupported_by(const Config& config, const Engine& engine);

}  // namespace quantmap
