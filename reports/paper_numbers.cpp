#include "reports/paper_numbers.h"

namespace remixer::reports {

const std::vector<PaperNumber>& paper_numbers() {
  static const std::vector<PaperNumber> numbers;
  return numbers;
}

}  // namespace remixer::reports
