// Which mutant of a mutated build is on: the number in QUANTMAP_MUTANT, or none.
#pragma once

#include <cstdlib>

inline bool quantmap_mutant(int number) {
  static const int chosen = [] {
    const char* text = std::getenv("QUANTMAP_MUTANT");
    return text == nullptr ? -1 : std::atoi(text);
  }();
  return chosen == number;
}
