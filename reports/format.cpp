#include "reports/format.h"

#include <fmt/format.h>

#include <cmath>

namespace remixer::reports {

namespace {
// Rounded first, so that no "−0.00" appears.
double rounded(double value) {
  return std::round(value * 100) / 100;
}
}  // namespace

std::string percent_text(double value) {
  value = rounded(value);
  return fmt::format("{}{:.2f}", value < 0 ? "−" : "", std::abs(value));
}

std::string signed_text(double value) {
  return fmt::format("{}{}", rounded(value) < 0 ? "" : "+", percent_text(value));
}

std::string value_text(const Figure& figure) {
  if (!figure.value) return "–";
  const std::string text = percent_text(figure.value->value);
  return figure.sd ? text + " ± " + percent_text(*figure.sd) : text;
}

std::string gain_text(const Figure& figure) {
  return figure.gain ? fmt::format("({})", signed_text(figure.gain->value)) : "";
}

std::string detail_text(const Figure& figure) {
  if (!figure.value) return std::string("missing: ") + to_string(figure.missing);
  std::string text = fmt::format("95 %: {} to {}; n = {}", percent_text(figure.value->low),
                                 percent_text(figure.value->high), figure.n);
  if (figure.seeds > 1) text += fmt::format(", {} seeds", figure.seeds);
  if (figure.seeds < figure.seeds_in_grid) text += fmt::format(" of {}", figure.seeds_in_grid);
  if (figure.gain) {
    text += fmt::format("; gain {}, 95 %: {} to {}", signed_text(figure.gain->value),
                        signed_text(figure.gain->low), signed_text(figure.gain->high));
  }
  return text;
}

std::string labels_text(const Row& row) {
  return row.labels + (row.test_time_boxes ? "†" : "");
}

}  // namespace remixer::reports
