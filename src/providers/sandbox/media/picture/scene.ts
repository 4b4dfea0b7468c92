/** What is painted: a picture at any size, and in time a film. */
import type { Canvas } from './canvas.ts'

export interface Scene {
  /**
   * Paints every pixel of the canvas, of any size and ratio. The phase is a time from 0 to 1; the scene at 1 is
   * the scene at 0, so films of it can be repeated without a seam.
   */
  paint(canvas: Canvas, phase: number): void
}
