#include "expand.hpp"

#include <algorithm>

#include "items.hpp"

namespace quantmap::shell {

namespace {

constexpr std::size_t kDeepestDefault = 16;  // ${A:-${B:-...}}

bool splits(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void append(std::vector<Piece>& text, std::string_view more, bool open, bool by_default = false) {
  if (text.empty() || text.back().open != open || text.back().by_default != by_default || open) {
    text.push_back({{}, open, by_default});
  }
  text.back().text += more;
}

}  // namespace

Word joined(const std::vector<Piece>& text, std::size_t line) {
  Word word;
  word.line = line;
  for (const Piece& piece : text) {
    word.text += piece.text;
    word.open |= piece.open;
    word.by_default |= piece.by_default;
  }
  return word;
}

bool Expander::spend(std::size_t bytes) noexcept {
  if (bytes > budget_.bytes) return false;
  budget_.bytes -= bytes;
  return true;
}

const ShellVariable* Expander::find(std::string_view name) const {
  const auto found = variables_.values.find(name);
  return found == variables_.values.end() || !found->second->known ? nullptr : found->second.get();
}

void Expander::set(const std::string& name, ShellVariable value) {
  variables_.values[name] = std::make_shared<const ShellVariable>(std::move(value));
}

void Expander::finish(Field& field, std::vector<Word>& out) {
  if (field.any) {
    field.word.many &= !field.certain;
    const std::size_t line = field.word.line;
    out.push_back(std::move(field.word));
    field.word = {};
    field.word.line = line;
  }
  field.any = field.certain = false;
}

void Expander::add_open(std::string_view source, bool quoted, bool list, Field& field) {
  field.any = true;
  field.word.text += source;
  field.word.open = true;
  field.word.many |= !quoted || list;
}

// What branches of the script made of a parameter that is not known here.
void Expander::add_branches(const Part& part, Field& field) const {
  const auto found = variables_.values.find(part.text);
  if (found != variables_.values.end()) field.word.either = found->second->either;
}

void Expander::add_whole(const std::vector<Piece>& text, Field& field) {
  field.any = field.certain = true;
  for (const Piece& piece : text) {
    field.word.text += piece.text;
    field.word.open |= piece.open;
    field.word.by_default |= piece.by_default;
  }
}

void Expander::add_split(const std::vector<Piece>& text, Field& field, std::vector<Word>& out) {
  for (const Piece& piece : text) {
    if (piece.open) {
      add_open(piece.text, false, false, field);
      continue;
    }
    std::size_t at = 0;
    while (at < piece.text.size()) {
      if (splits(piece.text[at])) {
        finish(field, out);
        ++at;
        continue;
      }
      std::size_t end = at;
      while (end < piece.text.size() && !splits(piece.text[end])) ++end;
      field.word.text += std::string_view(piece.text).substr(at, end - at);
      field.word.by_default |= piece.by_default;
      field.any = field.certain = true;
      at = end;
    }
  }
}

void Expander::add_items(const ShellVariable& value, const Part& part, Field& field, std::vector<Word>& out) {
  bool first = true;
  for (const Word& item : value.items) {
    if (!spend(item.text.size() + sizeof(Word))) break;
    if (!first) finish(field, out);
    first = false;
    field.word.text += item.text;
    field.word.open |= item.open;
    field.word.by_default |= item.by_default;
    field.word.many |= item.many;
    field.any = true;
    field.certain |= !item.many;
  }
  if (!value.more) return;
  if (!first) finish(field, out);
  add_open(part.source, false, true, field);
  add_branches(part, field);
}

static bool is_empty(const ShellVariable& value) {
  return !value.is_array && !value.more && joined(value.text, 0).text.empty();
}

// An item of an array, made up here; nothing else.
const ShellVariable* Expander::item_of(const Part& part, std::vector<Piece>& made, bool& plain) const {
  const ShellVariable* array = find(part.text);
  plain = array != nullptr && take_item(*array, part.index, made);
  return nullptr;
}

// The value that a parameter has here; nothing when the script does not tell. `made` holds one that is made up here.
const ShellVariable* Expander::value_of(const Part& part, std::vector<Piece>& made, bool& plain, std::size_t depth) {
  const ShellVariable* value = find(part.text);
  plain = false;
  const bool empty = value != nullptr && is_empty(*value);
  const auto other = [&] {
    Diagnostics unused;
    std::string word = part.other;
    // Quotes that stand inside of quotes for the word's own sake.
    if (part.quoted && word.find('\\') == std::string::npos) std::erase(word, '"');
    made = text_of(Lexer(word, 1, unused).quoted_text(part.quoted), depth + 1);
    plain = true;
  };
  if (part.use == '+') {
    if (value == nullptr) return nullptr;
    if (empty) {
      plain = true;  // nothing
    } else {
      other();
    }
    return nullptr;
  }
  const bool has_default = part.use == '-' || part.use == '=';
  // An empty default of what the script does not set: whoever starts it is to give it.
  if (value == nullptr && has_default && part.other.empty()) return nullptr;
  if (has_default && (value == nullptr || empty)) {
    other();
    if (part.use == '=') {
      ShellVariable set_value;
      set_value.text = made;
      set(part.text, std::move(set_value));
    }
    return nullptr;
  }
  return value;
}

void Expander::add_part(const Part& part, Field& field, std::vector<Word>& out, std::size_t depth) {
  if (part.kind == PartKind::kText) {
    field.word.text += part.text;
    field.word.quoted |= part.quoted;
    field.any = true;
    field.certain |= !part.text.empty();
  } else if (part.kind == PartKind::kUnknown || depth > kDeepestDefault || !spend(part.source.size() + 1)) {
    add_open(part.source, part.whole(), part.list, field);
  } else {
    add_parameter(part, field, out, depth);
  }
}

// What a parameter that is no list stands for, in pieces; false when the script does not tell.
bool Expander::pieces_of(const Part& part, const ShellVariable* value, std::vector<Piece>& made, bool plain) {
  if (value != nullptr && !value->is_array && spend(joined(value->text, 0).text.size())) {
    made = value->text;
    // What is not known is written again in a script inside: with quotes of its own it would end those around it.
    const auto says_nothing = [](const Piece& piece) { return piece.open || piece.text.empty(); };
    const bool nothing = made.size() > 1 && std::all_of(made.begin(), made.end(), says_nothing);
    if (nothing) made = {{part.source, true}};
    for (Piece& piece : made) {
      if (piece.open && piece.text.find_first_of("'\"`\n") != std::string::npos) piece.text = part.source;
    }
    if (value->more && part.whole()) append(made, part.source, true);
    return true;
  }
  return plain;
}

void Expander::add_parameter(const Part& part, Field& field, std::vector<Word>& out, std::size_t depth) {
  std::vector<Piece> made;
  bool plain = false;
  const ShellVariable* value = part.index.empty() ? value_of(part, made, plain, depth) : item_of(part, made, plain);
  if (value != nullptr && value->is_array && part.list) {
    add_items(*value, part, field, out);
    return;
  }
  if (!pieces_of(part, value, made, plain)) {
    add_open(part.source, part.whole(), part.list, field);
    add_branches(part, field);
  } else if (part.whole()) {
    add_whole(made, field);
  } else {
    add_split(made, field, out);
    if (value == nullptr || !value->more) return;
    finish(field, out);
    add_open(part.source, false, true, field);
    add_branches(part, field);
  }
}

// A parameter in a value, piece by piece, so that what is known in it stays known; false when it is a list.
bool Expander::add_pieces(const Part& part, std::vector<Piece>& text, std::size_t depth) {
  if (part.kind != PartKind::kParameter || part.list || depth > kDeepestDefault || !spend(part.source.size() + 1)) {
    return false;
  }
  std::vector<Piece> made;
  bool plain = false;
  const ShellVariable* value = part.index.empty() ? value_of(part, made, plain, depth) : item_of(part, made, plain);
  if (!pieces_of(part, value, made, plain)) made = {{part.source, true}};
  for (const Piece& piece : made) append(text, piece.text, piece.open, piece.by_default);
  return true;
}

void Expander::expand(const RawWord& raw, std::vector<Word>& out) {
  Field field;
  field.word.line = raw.line;
  // "${NAME[@]}" of an array without items is no word, although it stands in quotes.
  const bool has_list = std::any_of(raw.parts.begin(), raw.parts.end(), [](const Part& part) { return part.list; });
  for (const Part& part : raw.parts) {
    if (has_list && part.kind == PartKind::kText && part.text.empty()) continue;
    add_part(part, field, out, 0);
  }
  finish(field, out);
}

std::vector<Piece> Expander::text_of(const std::vector<Part>& parts, std::size_t depth) {
  std::vector<Piece> text;
  for (const Part& part : parts) {
    if (part.kind == PartKind::kText) {
      append(text, part.text, false);
      continue;
    }
    Part whole = part;
    whole.assigned = true;
    if (add_pieces(whole, text, depth)) continue;
    std::vector<Word> words;
    Field field;
    add_part(whole, field, words, depth);
    finish(field, words);
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (i > 0) append(text, " ", false);
      append(text, words[i].text, words[i].open, words[i].by_default);
    }
  }
  return text;
}

}  // namespace quantmap::shell
