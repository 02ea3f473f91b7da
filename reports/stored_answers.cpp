// SPDX-License-Identifier: Apache-2.0
#include "reports/stored_answers.h"

#include <map>
#include <memory>

#include "base/accuracy.h"
#include "base/error.h"
#include "reports/prediction_files.h"

namespace remixer::reports {

namespace {

using Answers = std::map<std::string, std::vector<uint8_t>>;  // by weights

Answers read_answers(const PredictionFiles& files, const std::string& name) {
  Answers answers;
  if (!files.has(name)) return answers;
  try {
    const PredictionsFile file = files.read(name);
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
  const auto files = std::make_shared<PredictionFiles>(workspace);
  const auto known = std::make_shared<std::map<std::string, Answers>>();
  return [files, known](const std::string& file,
                        const std::string& weights) -> std::optional<std::vector<uint8_t>> {
    const auto [entry, is_new] = known->try_emplace(file);
    if (is_new) entry->second = read_answers(*files, file);
    const auto found = entry->second.find(weights);
    if (found == entry->second.end()) return std::nullopt;
    return found->second;
  };
}

}  // namespace remixer::reports
