// Launches of known engines in commands: behind other programs, in containers, in scripts that commands start.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quantmap/catalog/catalog.hpp"
#include "quantmap/check/check.hpp"
#include "quantmap/shell/shell.hpp"

namespace quantmap {

struct EnvironmentVariable {
  std::string name;
  Word value;
  bool exported = true;  // else assigned only: the server does not get it
};

// An image that a container is started from.
struct ImageName {
  std::string name;  // without tag and digest
  std::string tag;
  const Engine* engine = nullptr;
  const OtherMaker* maker = nullptr;  // what it is built for, when that is no NVIDIA GPU
  bool own = false;                   // the engine's own public image, whose tags are releases
  bool by_name = false;               // somebody's own image, which only its name tells to be the engine's
  bool by_words = false;              // somebody's own image, of which only a command in place of its own tells
};

[[nodiscard]] ImageName read_image(std::string_view word);

// An engine's package that a command installs, with its release. `one_mark`: as conda writes them, vllm=0.8.5.
struct InstalledPackage {
  const Engine* engine = nullptr;
  std::string version;
  std::string range;  // that it was chosen from, as it is written; empty when the release itself is named
};

// The engine whose package has this name; null when it is no engine's.
[[nodiscard]] const Engine* engine_of_package(std::string_view name);

// The release that a tag of an engine's own repository is; empty when it is none.
[[nodiscard]] std::string release_of_tag(const Engine& engine, std::string_view tag);

[[nodiscard]] std::optional<InstalledPackage> installed_package(std::string_view word, bool one_mark,
                                                                bool ranges = true);

// The sources that a command takes an engine from, which are no release: of a fork, or of no tag.
struct EngineSources {
  const Engine* engine = nullptr;
  std::string name;       // OWNER/REPOSITORY[@REF]
  bool upstream = false;  // the engine's own repository, at a commit that the word does not tell or that is no release
  std::string release;    // what it is at, where that is a tag of the engine's own
};

[[nodiscard]] std::optional<EngineSources> engine_sources(std::string_view word, bool cloned);

// How much of a name is what the engine is called, with nothing but signs around it; 0 when it is not named.
[[nodiscard]] std::size_t names_engine(const Engine& engine, std::string_view name);

struct FoundLaunch {
  const Engine* engine = nullptr;
  const Launcher* launcher = nullptr;  // null: these are arguments, and the caller names the engine
  std::vector<Word> words;             // behind the launcher
  std::vector<EnvironmentVariable> variables;
  std::optional<ImageName> image;
  std::string installed;               // the release that the script has installed before
  std::string range;                   // that this release was chosen from
  std::string sources;                 // that the script has installed it from
  bool by_entrypoint = false;          // the image's own entrypoint starts the server
  std::size_t repeats_entrypoint = 0;  // words of a launcher given to an image that starts the server itself
  const OtherMaker* maker = nullptr;
  std::size_t line = 1;
  std::vector<NamedFile> files;  // of the script, that it names
};

// A command of an engine's own that starts no server, or none whose arguments are known.
struct OtherCommand {
  std::string of;       // the engine's name, or that of a package beside it
  std::string words;    // as far as they tell what it is
  bool prints = false;  // its version, or help
};
[[nodiscard]] std::optional<OtherCommand> other_command(const std::vector<Word>& words, std::size_t main);

// The image that a command keeps in a file, and the file's name: apptainer pull FILE docker://IMAGE.
[[nodiscard]] std::optional<std::pair<std::string, ImageName>> pulled_image(const std::vector<Word>& words);

// Most launches of one text that are looked at, and most words of all of them together.
inline constexpr std::size_t kMaxLaunches = 1'000;
inline constexpr std::size_t kMaxLaunchWords = 20'000;
// Most ranges of releases of one text that are read: each is held against every release.
inline constexpr std::size_t kMaxRanges = 1'000;
// Most images that are called after an engine and start nothing that is known, which are told one by one.
inline constexpr std::size_t kMaxImagesTold = 20;
// Most variables that scripts inside of scripts get from the outer one; what is not handed on is not known there.
inline constexpr std::size_t kMaxInherited = 1'000'000;
// Most bytes of scripts that the script itself writes or holds: what is run again and again is read so often.
inline constexpr std::size_t kMaxNestedBytes = kMaxScriptBytes / 2;

class LaunchFinder {
 public:
  // `named`: the caller names the engine, so that a container of an image that is not known may run it.
  LaunchFinder(Diagnostics& problems, bool named) : problems_(problems), named_(named) {}

  void script(std::string_view text, std::size_t line, const ShellVariables& variables, std::size_t depth = 0);
  // Whether it starts an engine, itself or in a script inside of it.
  bool command(const Command& command, std::size_t depth = 0);

  [[nodiscard]] std::vector<FoundLaunch>& launches() noexcept { return launches_; }
  [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; }
  // The words of the first command, as a launch without a launcher.
  [[nodiscard]] const std::optional<FoundLaunch>& arguments() const noexcept { return arguments_; }
  // The image of the last container that names no engine known.
  [[nodiscard]] const std::string& other_image() const noexcept { return other_image_; }
  // The last command that is an engine's and starts no server.
  [[nodiscard]] const std::optional<OtherCommand>& other() const noexcept { return other_; }
  // What the script writes, or hands to programs that are no shell.
  [[nodiscard]] const WrittenFiles& files() const noexcept { return files_; }

 private:
  struct Container;
  bool container(const Command& command, std::size_t depth);
  static std::optional<Command> pod_command(const Command& command, std::size_t run);
  static bool container_option(const Command& command, std::size_t& at, Container& out);
  static Container read_options(const Command& command, std::size_t begin, bool known_program);
  static Command inside_of(const Command& command, const Container& container);
  ShellVariables inherited(const Command& command, bool elsewhere);
  void container_command(const Command& command, const Container& container, std::size_t depth);
  bool launch(const Command& command, std::size_t begin, std::optional<ImageName> image);
  void nested(const Command& command, std::size_t depth);
  static std::vector<std::pair<std::string, std::size_t>> scripts_in(const Command& command, std::size_t main,
                                                                     bool shell);
  void read_input(const Command& command, std::string_view program,
                  std::vector<std::pair<std::string, std::size_t>>& scripts);
  [[nodiscard]] ImageName image_of(const std::string& word) const;
  void note_packages(const std::vector<Word>& words);
  void note_sources(const EngineSources& sources, bool cloned);
  void note_clone(const std::vector<Word>& words, std::size_t main);
  void note_other(const std::vector<Word>& words);
  void start_unknown(const Container& container, const ImageName& image, FoundLaunch found, const Command& command);
  void start_by_name(const Container& container, ImageName image, FoundLaunch found, const Command& command);
  void take_image(const std::vector<Word>& words, std::size_t first);
  void keep(FoundLaunch launch, const Command& command);
  [[nodiscard]] bool is_full() const noexcept { return launches_.size() >= kMaxLaunches || words_ > kMaxLaunchWords; }
  [[nodiscard]] std::vector<EnvironmentVariable> environment_of(const Command& command) const;

  Diagnostics& problems_;
  bool named_;
  std::optional<FoundLaunch> arguments_;
  std::vector<FoundLaunch> launches_;
  WrittenFiles files_;
  struct Installed {
    std::string version;
    std::string range;
    std::string sources;
  };
  std::map<const Engine*, Installed> installed_;
  const Engine* cloned_ = nullptr;                        // whose own repository was cloned last
  std::map<std::string, ImageName, std::less<>> pulled_;  // images by the files that they are kept in
  std::optional<OtherCommand> other_;
  ScriptBudget budget_;
  std::size_t nested_bytes_ = 0;
  std::size_t words_ = 0;
  std::size_t inherited_ = 0;
  std::size_t left_out_ = 0;
  std::size_t images_told_ = 0;
  std::size_t ranges_ = 0;
  std::string other_image_;
};

}  // namespace quantmap
