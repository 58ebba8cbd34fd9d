#include "judge_launch.hpp"

#include <algorithm>

#include "draft_model.hpp"
#include "launch_verdicts.hpp"
#include "line_arguments.hpp"
#include "line_model.hpp"
#include "printed_signs.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/checkpoint_kind.hpp"
#include "quantmap/deployment/line_rules.hpp"
#include "quantmap/model/checkpoint.hpp"
#include "quantmap/release/gpu.hpp"

namespace quantmap {

namespace {

bool holds(const ReleaseSpan& span, ReleaseNumber release) { return covers(span.since, span.until, release); }

class LaunchJudge {
 public:
  LaunchJudge(const FoundLaunch& launch, const Ground& ground, Checked& out)
      : launch_(launch), ground_(ground), out_(out), engine_(*out.engine) {}

  void run() {
    release_ = std::string(engine_.name) + " " + std::string(engine_.surface.releases[out_.deployment.release].version);
    evidence_ = std::string(engine_.surface.releases[out_.deployment.release].artifact) + " (server arguments)";
    launcher_ = launch_.launcher;
    if (launch_.by_entrypoint) {
      for (const Entrypoint& entrypoint : engine_.container.entrypoints) {
        if (holds(entrypoint.in, out_.deployment.release)) launcher_ = &engine_.launchers[entrypoint.launcher];
      }
    }
    Line line;
    for (const EnvironmentVariable& variable : launch_.variables) line.arguments.push_back(argument_of(variable));
    const LineArguments read = read_arguments(engine_, out_.deployment.release, launch_.words);
    line.arguments.insert(line.arguments.end(), read.arguments.begin(), read.arguments.end());
    line.more = !read.unknown.empty();
    for (Argument& argument : line.arguments) argument.inside = settings_in(to_text(argument.value));
    const bool other = is_other_command(read.positional);
    if (!other) out_.model = model_of_words(line.arguments, read.positional);
    judge(line);
    judge_by_name(line, out_.model);
    if (out_.platform.empty()) judge_draft(line, *ground_.request, out_);
    for (std::size_t i = 0; i < launch_.variables.size(); ++i) {
      judge_variable(launch_.variables[i], out_.verdicts[i]);
    }
    for (std::size_t i = launch_.variables.size(); i < out_.verdicts.size(); ++i) {
      judge_own(line.arguments[i], out_.verdicts[i]);
    }
    judge_defaults(read.by_default);
    judge_plugins();
    note_repeats(out_.verdicts);
    judge_positional(read.positional);
    judge_unknown(read.unknown);
    judge_signs(read.positional);
    if (launch_.repeats_entrypoint != 0) judge_repeated_entrypoint();
    if (launcher_ != nullptr && !holds(launcher_->exists, out_.deployment.release)) judge_missing_launcher();
    if (other) assume_other_command(read.positional.front().text);
    if (!out_.asked.empty()) assume_all();
  }

 private:
  // What the script says unless whoever starts it says otherwise.
  void judge_defaults(const std::vector<bool>& by_default) {
    const std::size_t behind = launch_.variables.size();
    for (std::size_t i = 0; i < out_.verdicts.size(); ++i) {
      const bool is_one = i < behind ? launch_.variables[i].value.by_default : by_default[i - behind];
      if (!is_one || out_.verdicts[i].judgement != Judgement::kAccepted) continue;
      out_.verdicts[i].judgement = Judgement::kAssumed;
      out_.verdicts[i].reason = "the script's own value: whoever starts it may give another";
    }
  }

  static Argument argument_of(const EnvironmentVariable& variable) {
    Argument out;
    out.kind = ChannelKind::kEnv;
    out.flag = variable.name;
    out.value = variable.value.text;
    out.open = variable.value.open;
    return out;
  }

  // What the caller read in a file that a word names; "" when it names none.
  std::string settings_in(const std::string& word) const {
    for (const auto& file : ground_.request->settings) {
      if (file.first == word) return file.second;
    }
    return {};
  }

  void judge(Line& line) {
    if (!out_.platform.empty()) {
      out_.notes.add(Code::kOtherPlatform, "command", {{"value", out_.platform}});
      out_.verdicts = judge_each(engine_, out_.deployment, line.arguments, true);
      return;
    }
    Diagnostics unread;
    const LineModel model = read_line_model(*ground_.request, out_.model, out_.notes, unread);
    out_.notes.append(unread);
    take_model(model.model, engine_, out_.deployment);
    line.checkpoint_known = model.known;
    line.own_model = model.own;
    out_.not_looked_at = not_looked_at(engine_, out_.deployment, model.known);
    out_.verdicts = judge_line(engine_, out_.deployment, line, out_.notes);
    add_left_open(engine_, out_.deployment, out_.verdicts, out_.not_looked_at);
  }

  bool is_known_variable(std::string_view name) const {
    const auto& all = engine_.surface.variables;
    return std::any_of(all.begin(), all.end(), [name](const Variable& variable) { return variable.name == name; });
  }

  // Whether a name is spelt as the engine's own are, and is not one of a package beside it.
  bool looks_like_own(std::string_view name) const {
    for (const Plugin& plugin : engine_.plugins) {
      if (name.substr(0, plugin.variables.size()) == plugin.variables) return false;
    }
    const std::string_view start = name.substr(0, name.find('_') + 1);
    const auto& all = engine_.surface.variables;
    const auto alike = std::count_if(all.begin(), all.end(), [start](const Variable& variable) {
      return variable.name.substr(0, start.size()) == start;
    });
    return !start.empty() && 2 * static_cast<std::size_t>(alike) > all.size();
  }

  void judge_variable(const EnvironmentVariable& variable, Verdict& verdict) const {
    if (verdict.judgement == Judgement::kDeprecated) return;  // read by another name
    if (!is_known_variable(variable.name)) {
      const bool misspelt = looks_like_own(variable.name) && engine_.surface.releases[out_.deployment.release].whole;
      verdict.judgement = misspelt ? Judgement::kNoEffect : Judgement::kAccepted;
      verdict.reason = misspelt ? "no release of " + std::string(engine_.name) + " reads this variable" : "";
      verdict.hint.clear();
      verdict.evidence.clear();
      if (!misspelt) return;
      std::vector<std::string_view> names;
      for (const Variable& known : engine_.surface.variables) {
        if (covers(known.since, known.until, out_.deployment.release)) names.push_back(known.name);
      }
      verdict.hint = did_you_mean(variable.name, names);
    } else if (!variable.exported) {
      verdict.judgement = Judgement::kNoEffect;
      verdict.reason = "assigned, but not exported: the server does not get it";
      verdict.hint = "write export in front of it";
    }
  }

  // Arguments that are the launcher's own, or every parser's.
  void judge_own(const Argument& argument, Verdict& verdict) const {
    const bool help = argument.flag == "--help" || (argument.flag == "-h" && engine_.abbreviates);
    const bool own = launcher_ != nullptr &&
                     std::any_of(launcher_->own_flags.begin(), launcher_->own_flags.end(), [&](const OwnFlag& flag) {
                       return flag.name == argument.flag && holds(flag.in, out_.deployment.release);
                     });
    if (launcher_ != nullptr) judge_lacking(argument, verdict);
    if (!help && !own) return;
    verdict.judgement = Judgement::kAccepted;
    verdict.reason = help ? "prints help, and starts nothing" : "";
    verdict.hint.clear();
    verdict.evidence.clear();
  }

  // A flag of the server that this way to start it does not take; one that holds a blank is two words in one.
  void judge_lacking(const Argument& argument, Verdict& verdict) const {
    const auto& lacks = launcher_->lacks;
    if (std::find(lacks.begin(), lacks.end(), verdict.canonical) != lacks.end()) {
      verdict = refused_word(argument.flag, words_of(*launcher_) + " does not take it",
                             "write " + words_of(engine_.launchers.front()));
    } else if (const std::size_t blank = argument.flag.find(' '); blank != std::string::npos && !argument.open) {
      verdict = refused_word(argument.flag, "this is one word, with a blank in it: nothing parts it here",
                             "write " + argument.flag.substr(0, blank) + " and what follows as two words");
    }
  }

  // What a package beside the engine adds is not known here, and neither is what else it allows.
  void judge_plugins() {
    for (const Plugin& plugin : engine_.plugins) {
      const auto adds = [&plugin](const Verdict& verdict) {
        if (!is_refusal(verdict.judgement)) return false;
        const bool flag = std::find(plugin.flags.begin(), plugin.flags.end(), verdict.flag) != plugin.flags.end();
        return flag || std::any_of(plugin.values.begin(), plugin.values.end(), [&verdict](const PluginValue& value) {
                 return value.flag == verdict.canonical && value.value == verdict.value;
               });
      };
      if (std::none_of(out_.verdicts.begin(), out_.verdicts.end(), adds)) continue;
      const std::string package(plugin.package);
      for (Verdict& verdict : out_.verdicts) {
        if (!is_refusal(verdict.judgement)) continue;
        verdict.reason = adds(verdict) ? "it belongs to the package " + package + ", which is not known here"
                                       : "it may be one of the package " + package + "; without it: " + verdict.reason;
        verdict.judgement = Judgement::kAssumed;
        verdict.hint.clear();
      }
    }
  }

  Verdict refused_word(const std::string& word, std::string reason, std::string hint) const {
    Verdict out;
    out.flag = word;
    out.judgement = Judgement::kUnknownFlag;
    out.reason = std::move(reason);
    out.hint = std::move(hint);
    out.evidence = {evidence_};
    return out;
  }

  bool takes_model() const { return launcher_ == nullptr || holds(launcher_->positional, out_.deployment.release); }

  // Words that belong to no flag: an engine takes at most its model so.
  void judge_positional(const std::vector<Word>& words) {
    for (std::size_t i = takes_model() ? 1 : 0; i < words.size(); ++i) {
      if (words[i].many || words[i].open) {
        judge_unknown({words[i]});
        continue;
      }
      if (words[i].text.starts_with(' ')) {
        judge_blank(words, i);
        continue;
      }
      if (i == 0 && holds(launcher_->ignored, out_.deployment.release)) {
        Verdict verdict;
        verdict.flag = words[i].text;
        verdict.judgement = Judgement::kNoEffect;
        verdict.reason = release_ + " reads this word and serves a model of its own choice all the same";
        verdict.hint = "write " + std::string(launcher_->model_flag) + " " + words[i].text;
        out_.verdicts.push_back(std::move(verdict));
        continue;
      }
      if (std::string flag = with_hyphens(words[i].text); !flag.empty()) {
        out_.verdicts.push_back(refused_word(words[i].text, "it begins with a dash of printed text, not with hyphens",
                                             "write " + std::move(flag)));
        continue;
      }
      const bool names_model = i == 0 && !launcher_->model_flag.empty();
      out_.verdicts.push_back(refused_word(
          words[i].text, release_ + " takes no word here that belongs to no flag",
          names_model ? "write " + std::string(launcher_->model_flag) + " in front of it" : "leave it out"));
    }
  }

  // A blank behind a backslash, and what follows it on the line: words, where a comment was meant.
  void judge_blank(const std::vector<Word>& words, std::size_t& i) {
    std::string text = words[i].text;
    while (i + 1 < words.size() && words[i + 1].line == words[i].line) text += " " + words[++i].text;
    out_.verdicts.push_back(refused_word(text,
                                         "the blank behind the backslash is a word: the line does not go on there",
                                         "take away what stands behind the backslash"));
  }

  // Words that hold what a page prints for quotes and blanks.
  void judge_signs(const std::vector<Word>& positional) {
    for (Verdict& verdict : out_.verdicts) {
      const std::string why = printed_sign_in(verdict.value);
      if (why.empty() || !is_refusal(verdict.judgement)) continue;
      verdict.reason = why + "; " + verdict.reason;
      verdict.hint = "write " + verdict.flag + " " + with_plain_signs(verdict.value);
    }
    if (positional.empty() || printed_sign_in(positional.front().text).empty()) return;
    const std::string& word = positional.front().text;
    out_.verdicts.push_back(refused_word(word, printed_sign_in(word), "write " + with_plain_signs(word)));
  }

  void judge_unknown(const std::vector<Word>& words) {
    for (const Word& word : words) {
      Verdict verdict;
      verdict.flag = word.text;
      verdict.judgement = Judgement::kAssumed;
      verdict.reason = word.text.find('$') != std::string::npos
                           ? "what a shell puts here is not in the text: it may be any number of arguments"
                           : "what stands here is not in the text: it may be any number of arguments";
      out_.verdicts.push_back(std::move(verdict));
    }
  }

  // A module that starts a server in other releases only.
  void judge_missing_launcher() {
    const std::string words = words_of(*launcher_);
    out_.verdicts.insert(out_.verdicts.begin(), refused_word(words, release_ + " has no such module",
                                                             "write " + words_of(engine_.launchers.front())));
  }

  void judge_repeated_entrypoint() {
    const std::string words = words_of(*launch_.launcher);
    Verdict verdict = refused_word(words, "the image starts the server itself: these words reach it as arguments",
                                   "leave out " + words);
    out_.verdicts.insert(out_.verdicts.begin(), std::move(verdict));
  }

  // The model that the words name: by itself, or behind a launcher's flag.
  std::string model_of_words(const std::vector<Argument>& arguments, const std::vector<Word>& positional) const {
    std::string out;
    if (!positional.empty() && takes_model() && !positional.front().open) out = positional.front().text;
    for (const Argument& argument : arguments) {
      if (argument.kind != ChannelKind::kFlag || argument.open) continue;
      const auto known = find_spelling(engine_.surface, argument.flag, out_.deployment.release);
      if (!known) continue;
      const bool named = std::any_of(engine_.launchers.begin(), engine_.launchers.end(), [&](const Launcher& launcher) {
        return !launcher.model_flag.empty() && launcher.model_flag == known->history->name;
      });
      if (named) out = to_text(argument.value);
    }
    return out;
  }

  // What the model's name says of its quantization counts, as an assumption, while nobody says more.
  void judge_by_name(const Line& line, const std::string& model) {
    const std::size_t kind = line.checkpoint_known || !out_.platform.empty() ? 0 : kind_in_name(model);
    if (kind == 0) return;
    Deployment deployment = out_.deployment;
    deployment.checkpoint = kind;
    Line known = line;
    known.checkpoint_known = true;
    Diagnostics unused;
    const std::vector<Verdict> named = judge_line(engine_, deployment, known, unused);
    const std::string title(catalog().checkpoint_kinds[deployment.checkpoint].title);
    for (std::size_t i = 0; i < named.size(); ++i) {
      if (!is_refusal(named[i].judgement) || is_refusal(out_.verdicts[i].judgement)) continue;
      out_.verdicts[i] = named[i];
      out_.verdicts[i].judgement = Judgement::kAssumed;
      out_.verdicts[i].reason = "the model's name says " + title + ": " + named[i].reason;
    }
  }

  // Whether the first word starts something else than the server.
  bool is_other_command(const std::vector<Word>& words) const {
    if (launcher_ == nullptr || words.empty()) return false;
    const auto& others = launcher_->other_commands;
    return std::find(others.begin(), others.end(), words.front().text) != others.end();
  }

  void assume_other_command(const std::string& name) {
    for (Verdict& verdict : out_.verdicts) {
      if (verdict.flag.front() != '-') continue;
      verdict.judgement = Judgement::kAssumed;
      verdict.reason = "it is an argument of " + quote(name) + ", whose arguments are not known";
      verdict.hint.clear();
    }
    out_.not_looked_at.push_back({"the arguments of " + quote(name) + ", which is not the server itself", {}});
  }

  // A release that only stands in for another says nothing for certain.
  void assume_all() {
    for (Verdict& verdict : out_.verdicts) {
      if (verdict.judgement == Judgement::kAssumed) continue;
      if (verdict.judgement != Judgement::kAccepted) {
        verdict.reason = "it is not certain for " + quote(out_.asked) + ", but: " + verdict.reason;
      }
      verdict.judgement = Judgement::kAssumed;
    }
    Diagnostics notes;
    for (const Diagnostic& note : out_.notes.all()) {
      notes.add(refuses_whole(note) ? Code::kMayNotServe : note.code, note.path, note.context);
    }
    out_.notes = std::move(notes);
  }

  const FoundLaunch& launch_;
  const Ground& ground_;
  Checked& out_;
  const Engine& engine_;
  const Launcher* launcher_ = nullptr;
  std::string release_;
  std::string evidence_;
};

}  // namespace

std::optional<Checked> judge_launch(const FoundLaunch& launch, const Ground& ground, Diagnostics& problems) {
  Checked out;
  out.engine = ground.engine != nullptr ? ground.engine : launch.engine;
  out.line = launch.line;
  out.files = launch.files;
  if (launch.engine != nullptr && launch.engine != out.engine) {
    problems.add(Code::kOtherLauncher, "command",
                 {{"engine", std::string(out.engine->name)}, {"value", std::string(launch.engine->name)}});
    return std::nullopt;
  }
  const OtherMaker* platform = platform_of(launch, *out.engine, *ground.request);
  if (platform != nullptr) out.platform = platform->maker;
  const Value& gpu = ground.request->gpu;
  const bool with_gpu = platform == nullptr && !(gpu.is_text() && other_maker(gpu.as_text()) != nullptr);
  const auto release = read_release(*out.engine, ground, &launch, with_gpu, out.notes);
  if (out.notes.has_errors()) problems.append(out.notes);
  if (!release || out.notes.has_errors()) return std::nullopt;
  out.deployment = release->deployment;
  out.asked = release->asked;
  LaunchJudge(launch, ground, out).run();
  return out;
}

}  // namespace quantmap
