-- What PostGraphile is told of the tables: which columns refer to which rows (the schema declares no
-- foreign keys), the lists that its own arguments cannot express, and two mutations that write the
-- rows the server writes.
COMMENT ON TABLE order_line IS E'@foreignKey (order_id) references orders (id)|@fieldName order|@foreignFieldName lines\n@foreignKey (product_id) references product (id)|@fieldName product|@foreignFieldName orderLines';
COMMENT ON TABLE allocation IS E'@foreignKey (order_id) references orders (id)|@fieldName order|@foreignFieldName allocations\n@foreignKey (unit_id) references org_unit (id)|@fieldName unit|@foreignFieldName allocations';
COMMENT ON TABLE delivery IS E'@foreignKey (order_id) references orders (id)|@fieldName order|@foreignFieldName deliveries';

CREATE SCHEMA IF NOT EXISTS bench;
CREATE OR REPLACE FUNCTION bench.completed_before(before timestamptz) RETURNS SETOF public.orders LANGUAGE sql STABLE AS $$
  SELECT * FROM public.orders WHERE status = 'COMPLETED' AND submitted_at < before ORDER BY submitted_at DESC, id DESC
$$;
CREATE OR REPLACE FUNCTION bench.of_channel_before(channel text, before timestamptz) RETURNS SETOF public.orders LANGUAGE sql STABLE AS $$
  SELECT * FROM public.orders o WHERE o.channel = of_channel_before.channel AND submitted_at < before
  ORDER BY submitted_at DESC, id DESC
$$;

-- An order of three lines: what repeats it, the customer, the products, the doubles, the order, its
-- lines, the event, what makes the relay see it, the answer that is kept.
CREATE OR REPLACE FUNCTION bench.submit_order(key text, customer_number text, skus text[]) RETURNS public.orders LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  buyer public.customer;
  made public.orders;
  first bigint;
BEGIN
  PERFORM FROM public.idempotency_record r WHERE r.subject = 'peer' AND r.key = submit_order.key;
  SELECT * INTO buyer FROM public.customer c WHERE c.number = customer_number;
  PERFORM FROM public.orders o WHERE o.customer_id = buyer.id AND o.fingerprint = md5(array_to_string(skus, ' '));
  INSERT INTO public.orders (id, version, number, channel, digest, fingerprint, customer_id, contact, region,
    delivery_address, currency, priority, required_by, status, stage, search, submitted_by, submitted_at,
    rule_set_version, holds)
  VALUES (gen_random_uuid(), 1, 'PG-' || gen_random_uuid(), 'OFFLINE_SALES', md5(submit_order.key),
    md5(array_to_string(skus, ' ')), buyer.id,
    jsonb_build_object('companyName', buyer.company_name, 'contactName', buyer.contact_name, 'email', buyer.email,
      'phone', buyer.phone),
    buyer.region, jsonb_build_object('street', '7 Harbour Street', 'city', 'Ningbo', 'postalCode', '315000',
      'countryCode', 'CN'),
    'CNY', 'NORMAL', current_date + 20, 'SUBMITTED', 'INTAKE', lower(buyer.company_name), 'peer', now(), 1, '[]')
  RETURNING * INTO made;
  INSERT INTO public.order_line (id, order_id, line_number, product_id, sku, description, category, kind,
    unit_of_measure, unit_price, discount_rate, total, ordered, cancelled, allocated, reserved, produced, passed,
    dispatched, delivered, confirmed, returned)
  SELECT gen_random_uuid(), made.id, wanted.place, p.id, p.sku, p.name, p.category, p.kind, p.unit_of_measure,
    p.list_price, 0, p.list_price * 2, 2000, 0, 0, 0, 0, 0, 0, 0, 0, 0
  FROM unnest(skus) WITH ORDINALITY AS wanted(sku, place) JOIN public.product p ON p.sku = wanted.sku;
  INSERT INTO public.event (aggregate_kind, aggregate_id, sequence, kind, action, order_id, customer_id, public,
    actor, request_id, occurred_at, changes)
  VALUES ('ORDER', made.id, 1, 'ORDER_SUBMITTED', 'SUBMIT_ORDER', made.id, buyer.id, true, 'peer', 'peer', now(),
    to_jsonb(made) || jsonb_build_object('lines', (SELECT jsonb_object_agg(l.id, to_jsonb(l))
      FROM public.order_line l WHERE l.order_id = made.id)))
  RETURNING id INTO first;
  INSERT INTO public.event_waiting (event_id) VALUES (first);
  INSERT INTO public.idempotency_record (subject, key, action, digest, answer, created_at)
  VALUES ('peer', submit_order.key, 'SUBMIT_ORDER', md5(submit_order.key), jsonb_build_object('orderId', made.id), now());
  RETURN made;
END $$;

-- A milestone goes back and forth, under the version of its allocation.
CREATE OR REPLACE FUNCTION bench.advance_milestone(key text, milestone uuid) RETURNS public.milestone LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  step public.milestone;
  share public.allocation;
  written bigint;
BEGIN
  PERFORM FROM public.idempotency_record r WHERE r.subject = 'peer' AND r.key = advance_milestone.key;
  SELECT * INTO step FROM public.milestone m WHERE m.id = milestone;
  SELECT * INTO share FROM public.allocation a WHERE a.id = step.allocation_id FOR UPDATE;
  UPDATE public.milestone m SET status = CASE m.status WHEN 'PENDING' THEN 'IN_PROGRESS' ELSE 'PENDING' END,
    started_at = now() WHERE m.id = milestone RETURNING * INTO step;
  UPDATE public.allocation a SET version = a.version + 1 WHERE a.id = share.id AND a.version = share.version
  RETURNING * INTO share;
  INSERT INTO public.event (aggregate_kind, aggregate_id, sequence, kind, action, order_id, unit_id, public, actor,
    request_id, occurred_at, changes)
  VALUES ('ALLOCATION', share.id, share.version, 'MILESTONE_STARTED', 'START_MILESTONE', share.order_id,
    share.unit_id, true, 'peer', 'peer', now(), jsonb_build_object('milestones',
      jsonb_build_object(step.id, jsonb_build_object('status', step.status, 'startedAt', step.started_at))))
  RETURNING id INTO written;
  INSERT INTO public.event_waiting (event_id) VALUES (written);
  INSERT INTO public.idempotency_record (subject, key, action, digest, answer, created_at)
  VALUES ('peer', advance_milestone.key, 'START_MILESTONE', md5(advance_milestone.key),
    jsonb_build_object('milestoneId', step.id), now());
  RETURN step;
END $$;
