// SPDX-License-Identifier: Apache-2.0
#include "base/nearest_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace remixer {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Optimal string alignment distance.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view word,
                                        const std::vector<std::string>& known) {
  if (word.empty() || word.size() > 200) return std::nullopt;
  const std::string wanted = lower(word);
  if (wanted.size() >= 3) {
    for (const std::string& name : known) {
      if (lower(name).rfind(wanted, 0) == 0) return name;
    }
  }
  // Two typos, or a third of a long word: beyond that, a guess is more often wrong than right.
  size_t best = std::max<size_t>(2, wanted.size() / 3) + 1;
  if (wanted.size() < 4) best = 2;
  std::optional<std::string> nearest;
  for (const std::string& name : known) {
    const size_t distance = edit_distance(wanted, lower(name));
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

std::string unknown_name(std::string_view what, std::string_view word,
                         const std::vector<std::string>& known) {
  if (const auto nearest = nearest_name(word, known)) {
    return fmt::format("unknown {} '{}'; did you mean '{}'?", what, word, *nearest);
  }
  if (known.empty()) return fmt::format("unknown {} '{}'; none is defined", what, word);
  std::string list;
  for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
  return fmt::format("unknown {} '{}'; known are: {}", what, word, list);
}

bool is_plain_name(std::string_view text) {
  if (text.empty() || text.size() > 80 || text[0] == '.') return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace remixer
