// SPDX-License-Identifier: Apache-2.0
#include "reports/stored_answers.h"

#include <map>
#include <memory>

#include "base/accuracy.h"
#include "base/error.h"
#include "base/predictions_file.h"

namespace remixer::reports {

namespace {

using Answers = std::map<std::string, std::vector<uint8_t>>;  // by weights

Answers read_answers(const std::filesystem::path& path) {
  Answers answers;
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return answers;
  try {
    const PredictionsFile file = read_predictions(path);
    if (!file.whole_truth) return answers;
    for (const auto& [weights, predictions] : file.by_weights) {
      const std::vector<bool> right = right_by_image(predictions, file.truth);
      answers[weights].assign(right.begin(), right.end());
    }
  } catch (const Error&) {
    answers.clear();
  }
  return answers;
}

}  // namespace

ReadCorrect stored_answers(const std::filesystem::path& workspace) {
  const auto known = std::make_shared<std::map<std::string, Answers>>();
  return [workspace, known](const std::string& file,
                            const std::string& weights) -> std::optional<std::vector<uint8_t>> {
    const auto [entry, is_new] = known->try_emplace(file);
    if (is_new) entry->second = read_answers(workspace / file);
    const auto found = entry->second.find(weights);
    if (found == entry->second.end()) return std::nullopt;
    return found->second;
  };
}

}  // namespace remixer::reports
