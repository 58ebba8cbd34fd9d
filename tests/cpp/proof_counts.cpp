// The pinned table of outcomes on an engine's newest release: engine, form; then a line for each checkpoint kind.
#include <set>
#include <sstream>

#include "proof.hpp"

namespace quantmap::proof {

namespace {

std::string counts_text(const Counts& counts) {
  std::string out;
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (counts[i] == 0) continue;
    out += (out.empty() ? "" : ", ") + ("\"" + std::string(name_of(static_cast<Outcome>(i))) + "\": ") +
           std::to_string(counts[i]);
  }
  return "{" + out + "}";
}

// A written table as lines with their full path, so that two can be compared.
std::vector<std::string> flat(std::string_view written) {
  std::vector<std::string> out;
  std::string path[2];
  std::istringstream lines{std::string(written)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || line[indent] != '"') continue;
    if (line.back() == ',') line.pop_back();
    if (line.back() == '{') {
      path[std::min<std::size_t>(indent, 2) - 1] = line.substr(indent, line.rfind(':') - indent);
    } else {
      out.push_back(path[0] + " " + path[1] + " " + line.substr(indent));
    }
  }
  return out;
}

}  // namespace

std::string write_counts(const CountTable& table) {
  std::string out = "{";
  const char* engine_gap = "\n";
  for (const auto& [engine, forms] : table) {
    out += engine_gap + (" \"" + engine + "\": {");
    engine_gap = ",\n";
    const char* form_gap = "\n";
    for (const auto& [form, kinds] : forms) {
      out += form_gap + ("  \"" + form + "\": {");
      form_gap = ",\n";
      const char* gap = "\n";
      for (const auto& [kind, by_release] : kinds) {
        out += gap + ("   \"" + kind + "\": ") + counts_text(by_release.back());
        gap = ",\n";
      }
      out += "\n  }";
    }
    out += "\n }";
  }
  return out + "\n}\n";
}

std::vector<std::string> compare_counts(std::string_view pinned, std::string_view found, std::string_view engine,
                                        std::string_view form) {
  auto before = flat(pinned);
  for (const std::string_view only : {engine, form}) {
    const std::string word = "\"" + std::string(only) + "\" ";
    if (only.empty()) continue;
    std::erase_if(before, [&word](const std::string& line) { return line.find(word) == std::string::npos; });
  }
  const auto after = flat(found);
  const std::set<std::string> old_lines(before.begin(), before.end());
  const std::set<std::string> new_lines(after.begin(), after.end());
  std::vector<std::string> out;
  for (const std::string& line : before) {
    if (new_lines.count(line) == 0) out.push_back("- " + line);
  }
  for (const std::string& line : after) {
    if (old_lines.count(line) == 0) out.push_back("+ " + line);
  }
  return out;
}

}  // namespace quantmap::proof
