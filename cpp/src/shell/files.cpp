#include "files.hpp"

namespace quantmap {

namespace shell {

namespace {

// As echo -e and printf write it: \n ends a line.
void add_printed(const Word& word, WrittenFile& file) {
  for (std::size_t i = 0; i < word.text.size(); ++i) {
    const bool ends = word.text.compare(i, 2, "\\n") == 0;
    file.text += ends ? '\n' : word.text[i];
    i += ends ? 1 : 0;
  }
  file.text += ' ';
  file.open |= word.open;
}

}  // namespace

std::string last_name(const std::vector<Word>& words) {
  std::string name;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].text.substr(0, 1) != "-") name = words[i].text;
  }
  return name;
}

WrittenFile printed(const Command& command) {
  WrittenFile out;
  out.line = command.line;
  for (std::size_t i = 1; i < command.words.size(); ++i) {
    if (i == 1 && command.words[i].text.substr(0, 1) == "-") continue;
    add_printed(command.words[i], out);
  }
  if (!out.text.empty()) out.text.back() = '\n';
  return out;
}

}  // namespace shell

void WrittenFiles::add(WrittenFile file, bool more) {
  constexpr std::size_t kLongestStart = 65'536;  // what is longer gets nothing behind it
  const auto before = more ? by_name_.find(file.name) : by_name_.end();
  if (before != by_name_.end()) {
    const WrittenFile& start = *all_[before->second];
    if (start.text.size() > kLongestStart) return;
    file.text.insert(0, start.text);
    file.line = start.line;
    file.open |= start.open;
    all_[before->second] = std::make_shared<WrittenFile>(std::move(file));
    return;
  }
  const std::size_t slash = file.name.rfind('/');
  if (!file.name.empty()) by_name_[file.name] = all_.size();
  if (slash != std::string::npos) by_name_[file.name.substr(slash + 1)] = all_.size();
  all_.push_back(std::make_shared<WrittenFile>(std::move(file)));
}

WrittenFiles::File WrittenFiles::find(std::string_view name) const {
  auto found = by_name_.find(name);
  if (const std::size_t slash = name.rfind('/'); found == by_name_.end() && slash != std::string_view::npos) {
    found = by_name_.find(name.substr(slash + 1));
  }
  return found == by_name_.end() ? nullptr : all_[found->second];
}

}  // namespace quantmap
