// The core for a C++ program: one header of plain types, which stays as it is when the tables behind it change.
//
//   namespace qm = quantmap::api;
//
//   const auto launch = qm::launch({.engine = "vllm", .config = R"({"gemm_dtype": "fp8"})"});
//
//   if (launch) std::puts(qm::shell(*launch, {"vllm", "serve", "my/model"}).c_str());
//
// Nothing throws but a lack of memory. What is left empty is not given, and means what it means in Python.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace quantmap::api {

// One message about an input or a result. `severity` is "error", "warning" or "info".
struct Note {
  std::string code;
  std::string severity;
  std::string path;
  std::string message;
  std::string hint;
};

// A result, or every problem of the input at once.
template <typename Result>
struct Answer {
  std::optional<Result> result;
  std::vector<Note> problems;

  explicit operator bool() const noexcept { return result.has_value(); }
  const Result& operator*() const noexcept { return *result; }
  const Result* operator->() const noexcept { return &*result; }
};

// What became of one field of a config: "applied", "degraded", "dropped" and so on, in a sentence with its sources.
struct Decision {
  std::string field;
  std::string asked;
  std::string outcome;
  std::string sentence;
  std::vector<std::string> evidence;
  bool assumed = false;  // what it gives way to was read in a source, and not seen to happen
};

struct LaunchFile {
  std::string name;  // relative to the folder in which the engine starts
  std::string text;
};

struct LaunchQuery {
  std::string engine{};
  std::string config = "{}";      // JSON, of either form
  std::string parameters = "{}";  // JSON: user parameters
  std::string engine_version{};   // empty: the documented mapping
  std::string gpu{};
  std::string checkpoint{};  // a path, or the id of a model
  std::string policy{};      // "degrade", "strict" or "literal"
};

struct Launch {
  std::string engine;
  std::string version;                                           // empty in documented mode
  std::vector<std::string> arguments;                            // words for an exec call
  std::vector<std::pair<std::string, std::string>> environment;  // variables that the launch needs
  std::vector<LaunchFile> files;                                 // files that its arguments name
  std::vector<Decision> decisions;
  std::vector<Note> notes;
};

// The launch arguments that a config asks for, and why.
[[nodiscard]] Answer<Launch> launch(const LaunchQuery& query);

// A line for a POSIX shell: variables, the words of the program, arguments.
[[nodiscard]] std::string shell(const Launch& launch, const std::vector<std::string>& program);

// Writes the launch's files into a folder that is there. False when one cannot be written; nothing outside it is.
[[nodiscard]] bool write_files(const Launch& launch, const std::string& folder);

struct CheckQuery {
  std::string text{};    // a launch line or a script
  std::string engine{};  // where the text does not tell
  std::string engine_version{};
  std::string gpu{};
  std::string checkpoint{};
};

struct Verdict {
  std::string argument;
  std::string value;
  std::string verdict;  // "accepted", "unknown-flag", "refused-at-start" and so on
  bool refused = false;
  std::string reason;
  std::string hint;
  std::vector<std::string> evidence;
};

struct Checked {
  std::string engine;
  std::string version;
  std::string model;     // empty when the line names none
  std::size_t line = 1;  // of the text
  std::vector<Verdict> verdicts;
  std::vector<Note> notes;  // an error among them refuses the launch as a whole

  [[nodiscard]] bool ok() const noexcept;
};

// Every launch of a text, judged. Beside a result, `problems` tells what was not read and which launches were not
// judged.
[[nodiscard]] Answer<std::vector<Checked>> check(const CheckQuery& query);

struct FitQuery {
  std::string engine{};
  std::string config = "{}";
  std::string checkpoint{};
  std::string gpu{};
  std::string engine_version{};
  std::string parameters = "{}";
  int tp = 1;
  int pp = 1;
  std::int64_t context = 0;  // tokens of a sequence; 0: the longest that the model is made for
  int concurrency = 1;
};

// All sizes are bytes of the GPU that holds most.
struct Fit {
  std::string verdict;  // "fits", "tight", "fits-with-less-context", "does-not-fit", "refused" or "unknown"
  std::uint64_t weight_bytes = 0;
  std::uint64_t kv_budget_bytes = 0;
  std::uint64_t kv_needed_bytes = 0;
  std::int64_t tokens = 0;  // of the KV cache
  std::int64_t longest_context = 0;
  std::vector<std::string> cures;
  std::vector<std::string> assumptions;
};

// Whether a model fits on a GPU.
[[nodiscard]] Answer<Fit> fit(const FitQuery& query);

}  // namespace quantmap::api
