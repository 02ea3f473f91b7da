#include "reports/notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/format.h"

namespace remixer::reports {

const char* to_string(Missing missing) {
  switch (missing) {
    case Missing::kNotInGrid:
      return "not in this grid";
    case Missing::kWaiting:
      return "waiting";
    case Missing::kRunning:
      return "running";
    case Missing::kFailed:
      return "failed";
    case Missing::kCancelled:
      return "cancelled";
  }
  return "";
}

namespace {

struct Range {
  int64_t low = 0, high = 0;
  void add(int64_t value) {
    low = high == 0 ? value : std::min(low, value);
    high = std::max(high, value);
  }
  std::string text() const {
    return low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high);
  }
};

double half_width(const Estimate& estimate) {
  return std::max(estimate.high - estimate.value, estimate.value - estimate.low);
}

std::string basis_note(const Table& table) {
  Range seeds, images;
  double widest = 0, widest_gain = 0;
  for (const Row& row : table.rows) {
    for (const Figure& figure : row.figures) {
      if (!figure.value) continue;
      seeds.add(figure.seeds);
      images.add(figure.n);
      widest = std::max(widest, half_width(*figure.value));
      if (figure.gain) widest_gain = std::max(widest_gain, half_width(*figure.gain));
    }
  }
  if (seeds.high == 0) return "";
  std::string note = seeds.high == 1
                         ? std::string("One seed")
                         : fmt::format("Mean ± standard deviation over {} seeds", seeds.text());
  note += fmt::format("; {} images a set. 95 % intervals ({}) reach at most ±{} on a figure",
                      images.text(),
                      seeds.high == 1  ? "Wilson; Newcombe for differences"
                      : seeds.low == 1 ? "Student's t over seeds, Wilson where there is one"
                                       : "Student's t over seeds",
                      percent_text(widest));
  if (widest_gain > 0) note += fmt::format(" and ±{} on a gain", percent_text(widest_gain));
  return note + ".";
}

std::string missing_note(const Table& table) {
  std::array<int, 5> counts{};
  int total = 0;
  for (const Row& row : table.rows) {
    for (const Figure& figure : row.figures) {
      if (figure.value) continue;
      ++counts[static_cast<size_t>(figure.missing)];
      ++total;
    }
  }
  if (total == 0) return "";
  std::string parts;
  for (Missing missing : {Missing::kFailed, Missing::kCancelled, Missing::kRunning,
                          Missing::kWaiting, Missing::kNotInGrid}) {
    const int count = counts[static_cast<size_t>(missing)];
    if (count == 0) continue;
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", count, to_string(missing));
  }
  return fmt::format("–: missing, {} of {} figures: {}.", total,
                     table.rows.size() * table.columns.size(), parts);
}

std::string seeds_note(const Table& table) {
  int fewer = 0;
  for (const Row& row : table.rows) {
    for (const Figure& figure : row.figures) {
      if (figure.value && figure.seeds < figure.seeds_in_grid) ++fewer;
    }
  }
  if (fewer == 0) return "";
  return fmt::format("{} {} on fewer seeds than the grid asks for; the rest are not finished.",
                     fewer, fewer == 1 ? "figure rests" : "figures rest");
}

}  // namespace

std::vector<std::string> make_notes(const Table& table) {
  std::vector<std::string> notes;
  const auto add = [&](const std::string& note) {
    if (!note.empty()) notes.push_back(note);
  };
  add(fmt::format(
      "Percent. In parentheses the gain over the plain model above; the best of a block is "
      "marked. Trained on {}, recipe {}, {}; {}.",
      table.train_set, table.recipe, table.precision,
      table.weights == "ema" ? "the moving average of the weights" : "the last epoch's weights"));
  add(basis_note(table));
  add(missing_note(table));
  add(seeds_note(table));
  const bool dagger = std::any_of(table.rows.begin(), table.rows.end(),
                                  [](const Row& row) { return row.test_time_boxes; });
  if (dagger) add("†: its labels were made with the boxes of the test images.");
  return notes;
}

}  // namespace remixer::reports
