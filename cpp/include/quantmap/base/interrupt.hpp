// Whether somebody wants long work to end: a question that is asked ten times a second, and whose yes stays.
#pragma once

#include <chrono>
#include <functional>
#include <utility>

namespace quantmap {

class Interrupt {
 public:
  Interrupt() = default;
  explicit Interrupt(std::function<bool()> question) : question_(std::move(question)) {}

  // Cheap enough for the innermost loop of anything that takes a microsecond.
  [[nodiscard]] bool wanted() const {
    if (!question_ || wanted_ || ++calls_ % kCalls != 0) return wanted_;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return false;
    next_ = now + std::chrono::milliseconds(100);
    wanted_ = question_();
    return wanted_;
  }

 private:
  static constexpr unsigned kCalls = 64;
  std::function<bool()> question_;
  mutable std::chrono::steady_clock::time_point next_{};
  mutable unsigned calls_ = 0;
  mutable bool wanted_ = false;
};

}  // namespace quantmap
