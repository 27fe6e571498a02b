// The same for tests.
#pragma once
#include "plain_pch.h"
// clang-format off: gmock reads gtest
#include <gmock/gmock.h>
#include <gtest/gtest.h>
// clang-format on
