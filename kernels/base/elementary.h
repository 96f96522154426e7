// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Elementary functions that networks call now and then, in float64 with + - * / and sqrt alone, so
/// that the bits are the same on every CPU; callers round the result to float32. The twin of
/// python/bitpose/ir/elementary.py, operation by operation, where the formulas are explained.
namespace bitpose::elementary {

double exp(double x);
double log(double x);  ///< Of what is no subnormal.
/// x^y as C's pow defines it, for numbers that float32 holds.
double power(double x, double y);
/// x - n y for the integer n between 0 and x / y, exact and with the sign of x, for numbers that
/// float32 holds: C's fmod.
double remainder(double x, double y);

// Of numbers that float32 holds.
double sin(double x);
double cos(double x);
double tan(double x);
double asin(double x);
double acos(double x);
double atan(double x);
double sinh(double x);
double cosh(double x);
double asinh(double x);
double acosh(double x);
double atanh(double x);

}  // namespace bitpose::elementary
