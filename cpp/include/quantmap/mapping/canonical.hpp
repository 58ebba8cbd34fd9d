// What an argument comes to in a release: when are two launches the same?
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "quantmap/mapping/map.hpp"

namespace quantmap {

// Judges arguments of one engine in one deployment. In checked mode values compare by the flag's type, and what equals
// the release's own default is the same as nothing; the documented mode compares what is written.
class Canonicalizer {
 public:
  // `keep_defaults`: a file of arguments is given too, which a written default would override.
  Canonicalizer(const Engine& engine, const Deployment& deployment, bool keep_defaults)
      : engine_(engine), deployment_(deployment), keep_defaults_(keep_defaults) {}

  // The flag that a spelling means, as in merge().
  [[nodiscard]] const std::string& canonical_flag(const std::string& flag);
  // The value as JSON text: true, "0.9"; empty when it makes no difference.
  [[nodiscard]] std::string value(const std::string& canonical_flag, const ArgumentValue& value);

 private:
  const FlagInterval* interval_of(const std::string& canonical_flag);

  const Engine& engine_;
  const Deployment& deployment_;
  bool keep_defaults_;
  std::unordered_map<std::string, std::string> canonical_flags_;
  std::unordered_map<std::string, const FlagInterval*> intervals_;
};

}  // namespace quantmap
