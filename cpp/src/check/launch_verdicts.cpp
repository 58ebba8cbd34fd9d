#include "launch_verdicts.hpp"

#include <unordered_map>

namespace quantmap {

void note_repeats(std::vector<Verdict>& verdicts) {
  std::unordered_map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < verdicts.size(); ++i) last[verdicts[i].canonical] = i;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    Verdict& verdict = verdicts[i];
    if (verdict.canonical.empty() || last[verdict.canonical] == i || is_refusal(verdict.judgement)) continue;
    verdict.judgement = Judgement::kNoEffect;
    verdict.reason = "given again later: the last value is used";
  }
}

std::string words_of(const Launcher& launcher) {
  std::string words;
  for (const std::string_view word : launcher.words) words += (words.empty() ? "" : " ") + std::string(word);
  return words;
}

}  // namespace quantmap
