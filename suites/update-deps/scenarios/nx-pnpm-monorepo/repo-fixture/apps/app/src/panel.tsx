import type { FC } from "react";

interface PanelProps {
  title: string;
  tone?: "calm" | "alarm";
}

/** A framed part of a page. */
export const Panel: FC<PanelProps> = ({ title, tone = "calm", children }) => (
  <section className={`panel ${tone}`}>
    <h2>{title}</h2>
    {children}
  </section>
);
