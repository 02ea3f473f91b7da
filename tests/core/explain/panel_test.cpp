// SPDX-License-Identifier: Apache-2.0
#include "core/explain/panel.h"

#include <gtest/gtest.h>

#include <cmath>

namespace remixer::explain {
namespace {

double luminance(const std::array<uint8_t, 3>& colour) {
  const auto linear = [](uint8_t byte) {
    const double value = byte / 255.0;
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
}

TEST(HeatColour, LightensInEvenSteps) {
  // CIE lightness, which is what even steps are even in.
  const auto lightness = [](double t) { return 116 * std::cbrt(luminance(heat_colour(t))) - 16; };
  const double whole = lightness(1) - lightness(0);
  EXPECT_GT(whole, 60);
  for (int i = 0; i < 20; ++i) {
    const double step = lightness((i + 1) / 20.0) - lightness(i / 20.0);
    EXPECT_GT(step, 0.3 * whole / 20) << i;
    EXPECT_LT(step, 1.8 * whole / 20) << i;
  }
  EXPECT_EQ(heat_colour(-1), heat_colour(0));
  EXPECT_EQ(heat_colour(7), heat_colour(1));
  EXPECT_GT(heat_colour(0)[2], heat_colour(0)[1]);  // blue
  EXPECT_GT(heat_colour(1)[0], heat_colour(1)[2]);  // yellow
}

TEST(Overlay, IsBrightWhereTheMapIs) {
  data::Image image(30, 20);
  for (uint8_t& value : image.pixels) value = 100;
  const data::Image heat = overlay(image, {2, {0, 0, 0, 5}});
  EXPECT_EQ(heat.width, 30);
  EXPECT_EQ(heat.height, 20);
  const auto at = [&](int x, int y) {
    const uint8_t* p = heat.at(x, y);
    return luminance({p[0], p[1], p[2]});
  };
  EXPECT_GT(at(29, 19), 3 * at(0, 0));
  EXPECT_NEAR(at(0, 19), at(0, 0), 0.02);
  // Along the way it rises without steps.
  for (int x = 8; x < 22; ++x) EXPECT_GE(at(x + 1, 19) + 1e-9, at(x, 19)) << x;
}

TEST(Overlay, AMapOfOneValueIsOneColour) {
  data::Image image(8, 8);
  const data::Image heat = overlay(image, {2, {3, 3, 3, 3}});
  for (int i = 0; i < 64; ++i) EXPECT_EQ(heat.pixels[3 * i], heat.pixels[0]);
}

TEST(Panels, PutImagesInTheirPlaces) {
  data::Image black(10, 8), grey(10, 8);
  for (uint8_t& value : grey.pixels) value = 90;
  const data::Image row = side_by_side({black, grey, black});
  EXPECT_EQ(row.width, 34);
  EXPECT_EQ(row.height, 8);
  EXPECT_EQ(row.at(9, 3)[0], 0);
  EXPECT_EQ(row.at(10, 3)[0], 255);
  EXPECT_EQ(row.at(12, 3)[0], 90);
  const data::Image sheet = stacked({row, row});
  EXPECT_EQ(sheet.height, 18);
  EXPECT_EQ(sheet.at(12, 10)[0], 90);
  EXPECT_EQ(sheet.at(12, 9)[0], 255);
}

}  // namespace
}  // namespace remixer::explain
