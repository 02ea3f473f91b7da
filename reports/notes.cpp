// SPDX-License-Identifier: Apache-2.0
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

const char* to_string(Basis basis) {
  switch (basis) {
    case Basis::kPaired:
      return "paired";
    case Basis::kSeedPairs:
      return "seeds";
    case Basis::kIndependent:
      return "independent";
  }
  return "";
}

GainCount count_gains(const Table& table) {
  GainCount count;
  for (const Row& row : table.rows) {
    for (const Figure& figure : row.figures) {
      if (!figure.gain) continue;
      ++count.all;
      count.outside += !figure.gain->within_noise;
    }
  }
  return count;
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

std::string setting_note(const Table& table, Bold bold) {
  std::string note = table.form == Form::kKappa ? "κ has no unit" : "Percent";
  if (bold == Bold::kBlock) note += "; bold is the best of a block";
  if (bold == Bold::kColumn) note += "; bold is the best of a column";
  return fmt::format(
      "{}. Trained on {}, recipe {}, {}; {}.", note, table.train_set, table.recipe, table.precision,
      table.weights == "ema" ? "the moving average of the weights" : "the last epoch's weights");
}

std::string basis_note(const Table& table) {
  Range seeds, images;
  double widest = 0;
  for (const Row& row : table.rows) {
    for (const Figure& figure : row.figures) {
      if (!figure.value) continue;
      seeds.add(figure.seeds);
      images.add(figure.n);
      widest = std::max(widest, half_width(*figure.value));
    }
  }
  if (seeds.high == 0) return "";
  std::string note = seeds.high == 1
                         ? std::string("One seed")
                         : fmt::format("Mean ± standard deviation over {} seeds", seeds.text());
  if (table.form == Form::kKappa)
    return note + (images.high == 1 ? std::string("; one layer per quarter.")
                                    : fmt::format("; {} layers per quarter.", images.text()));
  return note +
         fmt::format("; {} images per set. 95 % intervals ({}) reach at most ±{} on a figure.",
                     images.text(),
                     seeds.high == 1  ? "Wilson"
                     : seeds.low == 1 ? "Student's t over seeds, Wilson where there is one"
                                      : "Student's t over seeds",
                     number_text(widest, table.decimals));
}

// The number of gains that exceed noise, in one line.
std::string gains_note(const Table& table) {
  const GainCount count = count_gains(table);
  if (count.all == 0) return "";
  std::array<int, 3> by_basis{};
  for (const Row& row : table.rows) {
    for (const Figure& figure : row.figures) {
      if (figure.gain) ++by_basis[static_cast<size_t>(figure.gain->basis)];
    }
  }
  std::string how;
  const auto add = [&](Basis basis, const char* what) {
    const int number = by_basis[static_cast<size_t>(basis)];
    if (number == 0) return;
    how += how.empty() ? "" : "; ";
    how += number == count.all ? std::string(what) : fmt::format("{} of them {}", number, what);
  };
  add(Basis::kPaired, "McNemar's exact test on the same images");
  add(Basis::kSeedPairs, "Student's t over pairs of equal seeds");
  add(Basis::kIndependent, "intervals of the two figures, as if independent");
  return fmt::format("{} of {} gains lie outside noise ({}); the others are marked {}.",
                     count.outside, count.all, how, kNoiseMark);
}

std::string bold_note(const Table& table) {
  int best = 0, doubtful = 0;
  for (const Row& row : table.rows) {
    for (const Figure& figure : row.figures) {
      best += figure.best;
      doubtful += figure.best_within_noise;
    }
  }
  if (doubtful == 0) return "";
  return fmt::format("{} of {} figures in bold are marked {}: the next one may be as good.",
                     doubtful, best, kNoiseMark);
}

// Names the labels if no row does.
std::string labels_note(const Table& table) {
  if (table.labeler_column) return "";
  for (const Row& row : table.rows) {
    if (!row.labels.empty() && !row.names_labels) {
      return fmt::format("Patch labels: {}.", labels_text(row));
    }
  }
  return "";
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

// The columns in which some figure has the property.
std::string columns_where(const Table& table, bool Figure::*property) {
  std::string names;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const bool any = std::any_of(table.rows.begin(), table.rows.end(),
                                 [&](const Row& row) { return row.figures[c].*property; });
    if (any) names += (names.empty() ? "" : ", ") + table.columns[c].heading;
  }
  return names;
}

// How the images were transformed, if not kept as they are or not always the same way.
std::string released_note(const Table& table) {
  std::string note;
  if (const std::string names = columns_where(table, &Figure::released); !names.empty()) {
    note += fmt::format(
        "{}: images resized and cropped as the released code does it (evaluation = \"released\").",
        names);
  }
  if (const std::string names = columns_where(table, &Figure::released_beside); !names.empty()) {
    note += fmt::format("{}{}: evaluated in both ways; these are the images as they are.",
                        note.empty() ? "" : " ", names);
  }
  return note;
}

bool any_row(const Table& table, bool Row::*property) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [&](const Row& row) { return row.*property; });
}

}  // namespace

std::vector<std::string> make_notes(const Table& table, Bold bold) {
  std::vector<std::string> notes;
  const auto add = [&](const std::string& note) {
    if (!note.empty()) notes.push_back(note);
  };
  add(gains_note(table));
  add(bold_note(table));
  add(setting_note(table, bold));
  add(labels_note(table));
  add(basis_note(table));
  add(missing_note(table));
  add(seeds_note(table));
  add(released_note(table));
  if (any_row(table, &Row::test_time_boxes)) {
    add("†: its labels were made with the boxes of the test images.");
  }
  const bool columns = std::any_of(table.columns.begin(), table.columns.end(),
                                   [](const Column& column) { return column.ours; });
  if (columns || any_row(table, &Row::ours)) add("‡: ours; the paper's table lacks it.");
  if (std::any_of(table.columns.begin(), table.columns.end(),
                  [](const Column& column) { return column.has_paper; })) {
    add("Paper: the paper's own figure; Δ is ours minus the paper's.");
  }
  return notes;
}

}  // namespace remixer::reports
