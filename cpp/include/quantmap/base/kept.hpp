// What was worked out before, by a text that stands for the question. Any number of threads may ask.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace quantmap {

template <class Answer>
class Kept {
 public:
  explicit Kept(std::size_t most) : most_(most) {}

  // Nothing when it was not worked out yet.
  [[nodiscard]] std::shared_ptr<const Answer> find(const std::string& question) const {
    const Turn turn(taken_);
    const auto found = answers_.find(question);
    return found == answers_.end() ? nullptr : found->second;
  }

  // What is kept is bounded: questions may come from outside.
  std::shared_ptr<const Answer> keep(std::string question, std::shared_ptr<const Answer> answer) {
    constexpr std::size_t kLongest = 4096;
    if (question.size() > kLongest) return answer;
    const Turn turn(taken_);
    if (answers_.size() < most_) answers_.emplace(std::move(question), answer);
    return answer;
  }

 private:
  // A lock for the moment that a look-up takes; a browser's core has no std::mutex.
  class Turn {
   public:
    explicit Turn(std::atomic_flag& taken) : taken_(taken) {
      while (taken_.test_and_set(std::memory_order_acquire)) continue;
    }
    ~Turn() { taken_.clear(std::memory_order_release); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    std::atomic_flag& taken_;
  };

  std::size_t most_;
  mutable std::atomic_flag taken_;
  std::unordered_map<std::string, std::shared_ptr<const Answer>> answers_;
};

}  // namespace quantmap
