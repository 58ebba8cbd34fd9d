// What words of commands say: programs, launchers, variables, and whose hardware they name.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "find_launch.hpp"

namespace quantmap {

// Programs that start another machine or container: what is exported here is not there.
inline constexpr std::string_view kElsewhere[] = {"ssh", "docker", "podman", "nerdctl", "kubectl", "oc", "lxc"};

template <typename Words>
bool is_one_of(std::string_view word, const Words& words) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// "/usr/bin/vllm" runs the same as "vllm".
[[nodiscard]] std::string_view program(std::string_view word);

// The engine and the launcher whose words stand, one after another, at this place.
[[nodiscard]] std::pair<const Engine*, const Launcher*> launcher_at(const std::vector<Word>& words, std::size_t at);

// Whether an engine, or its image, stands among the words of a command.
[[nodiscard]] bool starts_engine(const std::vector<Word>& words);

// NAME=value as the variable that it sets.
[[nodiscard]] EnvironmentVariable variable_of(const Word& assignment);

// Whose hardware the words in front of a launch, or its variables, name; null when they name none.
[[nodiscard]] const OtherMaker* maker_by_mark(const std::vector<Word>& words, std::size_t end,
                                              const std::vector<EnvironmentVariable>& variables);

// The value that a variable has in front of a command; open when the script does not tell it.
[[nodiscard]] Word value_in_shell(const Command& command, const std::string& name);

}  // namespace quantmap
