#include "quantmap/check/check.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>

#include "find_launch.hpp"
#include "judge_launch.hpp"
#include "line_model.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/config/validate.hpp"
#include "quantmap/deployment/line_rules.hpp"
#include "quantmap/mapping/merge.hpp"

namespace quantmap {

namespace {

// Whether something in a word is put in when it is used: $NAME, ${NAME}, $(NAME), {{ NAME }}.
bool is_open(std::string_view word) {
  if (const std::size_t begin = word.find("{{"); word.find("}}", begin) != std::string_view::npos) return true;
  for (std::size_t i = word.find('$'); i != std::string_view::npos && i + 1 < word.size(); i = word.find('$', i + 1)) {
    const char next = word[i + 1];
    const bool name = (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z') || next == '_';
    if (name || next == '{' || next == '(') return true;
  }
  return false;
}

// A list of words as the command that they are.
std::optional<Command> command_of(const Value& list, const Path& path, Diagnostics& problems) {
  Command command;
  for (std::size_t i = 0; i < list.items().size(); ++i) {
    const Value& item = list.items()[i];
    if (!item.is_text()) {
      report_wrong_type(item, "a word", Path(path, i), problems);
      continue;
    }
    Word word;
    word.text = item.as_text();
    word.open = is_open(word.text);
    word.many = word.text.starts_with("{{") && word.text.ends_with("}}");
    const std::string name(assigned_name(word.text));
    if (command.words.empty() && !name.empty()) {
      word.text.erase(0, name.size() + 1);
      command.assignments.emplace_back(name, std::move(word));
    } else {
      command.words.push_back(std::move(word));
    }
  }
  if (problems.has_errors()) return std::nullopt;
  return command;
}

bool read_ground(const CheckRequest& request, Ground& ground, Diagnostics& problems) {
  ground.request = &request;
  if (request.engine.is_null()) return true;
  ground.engine = read_runtime(request.engine, ground.release, problems);
  return ground.engine != nullptr;
}

// What a text holds that starts no engine.
void add_nothing_started(const LaunchFinder& finder, const std::string& path, Diagnostics& problems) {
  if (finder.other()) {
    const OtherCommand& other = *finder.other();
    problems.add(other.prints ? Code::kPrintsOnly : Code::kOtherCommand, path,
                 {{"engine", other.of}, {"value", quote(other.words)}});
    return;
  }
  const bool image = !finder.other_image().empty();
  problems.add(image ? Code::kUnknownImage : Code::kUnknownLauncher, path, {{"value", quote(finder.other_image())}});
}

// Launches of a text or a list of words; the words alone are arguments when the caller names the engine.
std::optional<std::vector<FoundLaunch>> find_launches(
    const CheckRequest& request, const Ground& ground, Diagnostics& notes, Diagnostics& problems,
    std::vector<std::shared_ptr<const WrittenFile>>* written = nullptr) {
  const Path path("command");
  LaunchFinder finder(notes, ground.engine != nullptr);
  if (request.command.is_text()) {
    const std::string& text = request.command.as_text();
    if (text.size() > kMaxScriptBytes) {
      problems.add(
          Code::kOverLimit, path.str(),
          {{"got", std::to_string(text.size()) + " bytes"}, {"known", std::to_string(kMaxScriptBytes) + " bytes"}});
      return std::nullopt;
    }
    finder.script(text, 1, {});
    // Functions are read where they are called.
    std::stable_sort(finder.launches().begin(), finder.launches().end(),
                     [](const FoundLaunch& a, const FoundLaunch& b) { return a.line < b.line; });
  } else if (request.command.is_array()) {
    const auto command = command_of(request.command, path, problems);
    if (!command) return std::nullopt;
    finder.command(*command);
  } else {
    report_wrong_type(request.command, "a command line, a list of words, or an object of arguments", path, problems);
    return std::nullopt;
  }
  if (finder.launches().empty()) {
    if (ground.engine != nullptr && finder.arguments()) {
      finder.launches().push_back(*finder.arguments());
    } else if (!notes.has_errors()) {
      add_nothing_started(finder, path.str(), problems);
    }
  }
  if (finder.left_out() > 0) {
    notes.add(Code::kLaunchesLeftOut, path.str(),
              {{"got", std::to_string(finder.left_out())}, {"known", std::to_string(finder.launches().size())}});
  }
  for (const auto& file : finder.files().all()) {
    if (written != nullptr && !file->is_read) written->push_back(file);
  }
  return std::move(finder.launches());
}

// Arguments by name: an object has no words to tell apart.
std::optional<Checked> check_arguments(const CheckRequest& request, const Ground& ground, Diagnostics& problems) {
  if (ground.engine == nullptr) {
    problems.add(Code::kUnknownLauncher, "command");
    return std::nullopt;
  }
  Checked out;
  out.engine = ground.engine;
  const auto release = read_release(*out.engine, ground, nullptr, true, out.notes);
  if (out.notes.has_errors()) problems.append(out.notes);
  if (!release || problems.has_errors()) return std::nullopt;
  out.deployment = release->deployment;
  Diagnostics unread;
  const LineModel model = read_line_model(request, {}, out.notes, unread);
  out.notes.append(unread);
  take_model(model.model, *out.engine, out.deployment);
  out.not_looked_at = not_looked_at(*out.engine, out.deployment, model.known);
  Line line;
  line.literal = false;
  line.checkpoint_known = model.known;
  merge(line.arguments, request.command, nullptr, Path("command"), problems);
  if (problems.has_errors()) return std::nullopt;
  out.verdicts = judge_line(*out.engine, out.deployment, line, out.notes);
  return out;
}

}  // namespace

std::optional<Checked> check_command(const CheckRequest& request, Diagnostics& problems) {
  Ground ground;
  if (!read_ground(request, ground, problems)) return std::nullopt;
  if (request.command.is_object()) return check_arguments(request, ground, problems);
  Diagnostics notes;
  const auto launches = find_launches(request, ground, notes, problems);
  if (notes.has_errors()) problems.append(notes);
  if (!launches || problems.has_errors()) return std::nullopt;
  auto out = judge_launch(launches->front(), ground, problems);
  if (!out) return std::nullopt;
  if (launches->size() > 1) notes.add(Code::kSeveralLaunches, "command", {{"got", std::to_string(launches->size())}});
  out->notes.append(notes);
  return out;
}

std::optional<CheckedScript> check_script(const CheckRequest& request, Diagnostics& problems) {
  Ground ground;
  if (!read_ground(request, ground, problems)) return std::nullopt;
  CheckedScript out;
  Diagnostics none;
  const auto launches = find_launches(request, ground, out.notes, none, &out.written);
  for (const Diagnostic& problem : none.all()) {
    // A script that starts no engine is no error of whoever asks.
    const Code empties[] = {Code::kUnknownLauncher, Code::kUnknownImage, Code::kOtherCommand, Code::kPrintsOnly};
    const bool empty = std::find(std::begin(empties), std::end(empties), problem.code) != std::end(empties);
    if (empty) out.notes.add(problem.code, problem.path, problem.context);
    if (!empty) problems.add(problem.code, problem.path, problem.context);
  }
  if (!launches || problems.has_errors()) return std::nullopt;
  for (const FoundLaunch& launch : *launches) {
    Diagnostics wrong;
    auto judged = judge_launch(launch, ground, wrong);
    if (judged) out.launches.push_back(std::move(*judged));
    for (const Diagnostic& problem : wrong.all()) {
      out.notes.add(problem.code, problem.path + " at line " + std::to_string(launch.line), problem.context);
    }
  }
  return out;
}

}  // namespace quantmap
