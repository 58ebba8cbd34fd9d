// What is wrong with an input or noteworthy about a mapping: a code from the registry, a path, and the words.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

using Context = std::vector<std::pair<std::string_view, std::string>>;

struct Diagnostic {
  Code code;
  std::string path;  // "$.kv_cache.dtype"; other roots: runtime, user_parameters, model_quantization
  Context context;   // what fills the template

  [[nodiscard]] const DiagnosticText& text() const noexcept;
  [[nodiscard]] std::string message() const;
  [[nodiscard]] std::string hint() const;
};

// The template with each {name} replaced; a name without a value becomes nothing.
[[nodiscard]] std::string fill(std::string_view text, const Context& context);

class Diagnostics {
 public:
  void add(Code code, std::string path, Context context = {});
  // The same, unless the code stands there for the path already.
  void add_once(Code code, std::string path, Context context = {});
  void append(const Diagnostics& other);
  [[nodiscard]] bool has_errors() const noexcept;
  [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return items_; }

 private:
  std::vector<Diagnostic> items_;
};

// One step of a path: ".key", or "['odd key']".
[[nodiscard]] std::string key_step(std::string_view key);

// A place in the input, kept on the stack while walking and written out only when something is wrong there.
class Path {
 public:
  explicit Path(std::string_view root) : text_(root) {}
  Path(const Path& parent, std::string_view key) : parent_(&parent), text_(key) {}
  Path(const Path& parent, std::size_t index) : parent_(&parent), index_(index), is_index_(true) {}
  [[nodiscard]] std::string str() const;

 private:
  const Path* parent_ = nullptr;
  std::string_view text_;
  std::size_t index_ = 0;
  bool is_index_ = false;
};

}  // namespace quantmap
