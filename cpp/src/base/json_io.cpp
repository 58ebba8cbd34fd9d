#include "quantmap/base/json_io.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"

namespace quantmap {

namespace {

// Builds a Value from nlohmann's events; stops at the first thing that is not acceptable.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, const Path& path, Diagnostics& problems, std::size_t most)
      : text_(text), root_path_(path), problems_(problems), most_(most), left_(most) {}

  bool null() override { return add(Value()); }
  bool boolean(bool value) override { return add(Value::boolean(value)); }
  bool number_integer(number_integer_t value) override { return add(Value::integer(std::to_string(value))); }
  bool number_unsigned(number_unsigned_t value) override { return add(Value::integer(std::to_string(value))); }
  bool number_float(number_float_t value, const string_t& text) override {
    // An integer beyond 64 bits arrives here as a float: its digits are kept.
    if (text.find_first_of(".eE") == std::string::npos) return add(Value::integer(text));
    return add(Value::real(value));
  }
  bool string(string_t& value) override { return add(Value::text(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Value::object()); }
  bool start_array(std::size_t) override { return open(Value::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!count()) return false;
    Frame& frame = frames_.back();
    if (!frame.seen.insert(name).second) {
      problems_.add(Code::kDuplicateKey, path_to(frames_.size()) + key_step(name), {{"value", quote(name)}});
      return false;
    }
    frame.key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    if (error.id / 100 == 4) {  // out_of_range: a number beyond double
      problems_.add(Code::kNotFinite, path_to(frames_.size() + 1), {{"value", "a number this large"}});
      return false;
    }
    invalid(position == 0 ? 0 : position - 1, reason(error));
    return false;
  }

  // Text that is not JSON, and where.
  void invalid(std::size_t place, const std::string& why) {
    const std::size_t at = std::min(place, text_.size());
    const std::string_view before = text_.substr(0, at);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    problems_.add(Code::kInvalidJson, root_path_.str(),
                  {{"line", std::to_string(line)}, {"column", std::to_string(at - start + 1)}, {"got", why}});
  }

  Value take() { return std::move(root_); }

 private:
  struct Frame {
    Value value;
    std::string key;
    std::unordered_set<std::string> seen;
  };

  static std::string reason(const nlohmann::json::exception& error) {
    std::string text = error.what();
    // Drop the library's own prefix and position.
    if (const std::size_t mark = text.find("] "); mark != std::string::npos) text.erase(0, mark + 2);
    if (const std::size_t mark = text.find(": "); mark != std::string::npos) text.erase(0, mark + 2);
    if (const std::size_t mark = text.find("- "); mark != std::string::npos) text.erase(0, mark + 2);
    if (const std::size_t last = text.find("; last read"); last != std::string::npos) text.erase(last);
    return quote(text);
  }

  std::string path_to(std::size_t depth) const {
    std::string out = root_path_.str();
    for (std::size_t i = 0; i + 1 < depth; ++i) {
      const Frame& frame = frames_[i];
      out += frame.value.is_object() ? key_step(frame.key) : "[" + std::to_string(frame.value.items().size()) + "]";
    }
    return out;
  }

  // A value takes some hundred bytes, a number in the text takes two: so they are counted before they are kept.
  bool count() {
    if (left_ > 0) {
      --left_;
      return true;
    }
    problems_.add(Code::kOverLimit, root_path_.str(),
                  {{"got", "the JSON text"}, {"known", std::to_string(most_) + " values and keys"}});
    return false;
  }

  bool open(Value value) {
    if (frames_.size() >= kMaxDepth) {
      problems_.add(Code::kTooDeep, root_path_.str(), {{"known", std::to_string(kMaxDepth)}});
      return false;
    }
    frames_.push_back({std::move(value), {}, {}});
    return true;
  }

  bool close() {
    Value value = std::move(frames_.back().value);
    frames_.pop_back();
    return add(std::move(value));
  }

  bool add(Value value) {
    if (!count()) return false;
    if (frames_.empty()) {
      root_ = std::move(value);
    } else if (Frame& frame = frames_.back(); frame.value.is_object()) {
      frame.value.set(frame.key, std::move(value));
    } else {
      frame.value.append(std::move(value));
    }
    return true;
  }

  std::string_view text_;
  const Path& root_path_;
  Diagnostics& problems_;
  std::size_t most_;
  std::size_t left_;
  std::vector<Frame> frames_;
  Value root_;
};

void write(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Value::Kind::kBoolean: out += value.as_boolean() ? "true" : "false"; return;
    case Value::Kind::kInteger: out += value.as_text(); return;
    case Value::Kind::kReal: out += std::isfinite(value.as_real()) ? python_float(value.as_real()) : "null"; return;
    case Value::Kind::kText: append_json_string(out, value.as_text()); return;
    case Value::Kind::kArray:
      out += '[';
      for (std::size_t i = 0; i < value.items().size(); ++i) {
        if (i > 0) out += ',';
        write(value.items()[i], out);
      }
      out += ']';
      return;
    case Value::Kind::kObject:
      out += '{';
      for (std::size_t i = 0; i < value.members().size(); ++i) {
        if (i > 0) out += ',';
        append_json_string(out, value.members()[i].first);
        out += ':';
        write(value.members()[i].second, out);
      }
      out += '}';
      return;
    default: out += "null";
  }
}

}  // namespace

std::optional<Value> read_json(std::string_view text, const Path& path, Diagnostics& problems, std::size_t most) {
  if (!is_valid_utf8(text)) {
    problems.add(Code::kInvalidUnicode, path.str());
    return std::nullopt;
  }
  Builder builder(text, path, problems, most);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return std::nullopt;
  // The library takes a NUL for the end of the text, whatever comes behind it.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    builder.invalid(nul, quote(text.substr(nul, 1)));
    return std::nullopt;
  }
  return builder.take();
}

std::string write_json(const Value& value) {
  std::string out;
  write(value, out);
  return out;
}

}  // namespace quantmap
